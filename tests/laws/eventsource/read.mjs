// Reads streams with eventsource-parser: a line of JSON in ({parts: base64[], end: bool}), a line out ({events, retry}).
// `end` completes a last CR to CRLF, the same line end, since the parser waits for what follows. Ids are null where a block
// names none: to remember the last one is the business of EventSource, not of the parser.
import { createInterface } from 'node:readline'
import { createParser } from 'eventsource-parser'

function read({ parts, end }) {
  const events = []
  let retry = null
  const parser = createParser({
    onEvent: ({ event, data, id }) => events.push([event || 'message', data, id ?? null]),
    onRetry: (value) => (retry = value),
  })
  const decoder = new TextDecoder()
  let last = ''
  for (const part of parts) {
    const text = decoder.decode(Buffer.from(part, 'base64'), { stream: true })
    parser.feed(text)
    last = text || last
  }
  if (end && last.endsWith('\r')) parser.feed('\n')
  return { events, retry }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(read(JSON.parse(line))) + '\n')
}
