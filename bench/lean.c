/* The cheapest target there is: one epoll loop, two system calls a turn, prebuilt answers; what a request says is hardly looked at.
 *
 * lean PORT JSON STREAM: the files hold the answers, whole. Enough for requests that come in one piece and end with their body's brace.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 256, ROOM = 65536 };
static const char STREAM[] = "\"stream\": true", CLOSED_UP[] = "\"stream\":true";

struct answer {
    char bytes[ROOM];
    size_t size;
};

static void read_answer(const char *path, struct answer *into) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    into->size = fread(into->bytes, 1, ROOM, file);
    fclose(file);
}

static int listener(int port) {
    int on = 1, socket_ = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(socket_, (struct sockaddr *)&at, sizeof at) || listen(socket_, 1024)) {
        perror("listen");
        exit(2);
    }
    return socket_;
}

static void watch(int poll, int socket_) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket_};
    epoll_ctl(poll, EPOLL_CTL_ADD, socket_, &event);
}

int main(int count, char **arguments) {
    static struct answer json, stream;
    if (count != 4) return 2;
    read_answer(arguments[2], &json);
    read_answer(arguments[3], &stream);
    int listening = listener(atoi(arguments[1])), poll = epoll_create1(0), on = 1;
    watch(poll, listening);
    static char request[ROOM];
    struct epoll_event ready[MOST];
    for (;;) {
        int many = epoll_wait(poll, ready, MOST, -1);
        for (int index = 0; index < many; index++) {
            int from = ready[index].data.fd;
            if (from == listening) {
                int made = accept(listening, NULL, NULL);
                setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                watch(poll, made);
                continue;
            }
            ssize_t size = recv(from, request, ROOM, 0);
            if (size <= 0) {
                close(from);
            } else if (request[size - 1] == '}') {
                int streams = memmem(request, size, STREAM, sizeof STREAM - 1) || memmem(request, size, CLOSED_UP, sizeof CLOSED_UP - 1);
                struct answer *said = streams ? &stream : &json;
                send(from, said->bytes, said->size, MSG_NOSIGNAL);
            }
        }
    }
}
