// A correct server of all four dialects on Node's http alone, written from the documents alone.
//
// Its freedoms: sliding windows; only answered requests count; sessions belong to a key, and another key's is a 404 in the guide;
// compact raw UTF-8 JSON; 400 in the reference; codes at `error` in the agent REST API, whose streams it switches in the body
// and ends by closing; conversations unknown to the slug API are a 404; it takes odd input and repeats what it is told.
// Usage: node node_server.mjs PORT [SESSION_IDLE_SECONDS]; port 0 takes a free one; the first line printed is the port.

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

const MINUTE = 60_000, DAY = 86_400_000;
const IDLE = (Number(process.argv[3]) || 86_400) * 1000;
const MOST_BYTES = 1_000_000;
const PACED_GAP = 140;

const PLANS = {
  'tk.valley.1': { perMinute: 5000 },
  'tk.valley.free': { perMinute: 20, concurrent: 2 },
  'tk.valley.day': { perMinute: 500, perDay: 7 },
  'tk.valley.blink': { perMinute: 4, window: 2000 },
  'tk.valley.pro': { perMinute: 120, concurrent: 10 },
  'tk.valley.tier': { perMinute: 60, perDay: 10_000 },
  'tk.valley.poor': { perMinute: 5000, broke: true },
  'tk.valley.narrow': { perMinute: 5000, only: 'narrow' },
  'tk.valley.account': { perMinute: 5000, account: true },
  'tk.ridge.1': { perMinute: 4000 },
};
// Each dialect counts for itself.
const newAccount = (plan) => ({ ...plan, times: [], open: 0, sessions: new Map() });
const KEYS = Object.fromEntries(['guide', 'reference', 'rest', 'slug'].map((dialect) => (
  [dialect, new Map(Object.entries(PLANS).map(([key, plan]) => [key, newAccount(plan)]))])));
const AGENTS = new Set(['guidepost', 'narrow', 'juggler', 'faulty', 'away', 'slowpoke']);
const owners = new Map();
let lastId = 40;

class Refused extends Error {
  constructor(kind, text, more = {}) { super(text); Object.assign(this, { kind }, more); }
}
const STATUS = { invalid: 400, unauthorized: 401, balance: 402, agent: 404, session: 404, scope: 404, limited: 429, large: 413, internal: 500, unavailable: 503 };
const CODES = { invalid: 'invalid_request', unauthorized: 'unauthorized', agent: 'agent_not_found', scope: 'agent_not_found', limited: 'rate_limited', internal: 'internal_error' };
const NAMES = { invalid: 'ValidationError', unauthorized: 'UnauthorizedError', agent: 'NotFoundError', session: 'NotFoundError', large: 'TooLargeError', unavailable: 'Unavailable' };

function refusalBody(dialect, why) {
  const message = why.message;
  if (dialect === 'guide' && why.kind === 'limited') return { retry_after: why.wait, detail: message };
  if (dialect === 'guide' || dialect === 'reference') return { status: STATUS[why.kind], detail: message };
  if (dialect === 'rest') return { error: CODES[why.kind] ?? why.kind, message, help: null };
  return { data: null, error: { name: NAMES[why.kind] ?? 'Error', message, details: {} } };
}

function accountOf(dialect, request) {
  const found = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
  const account = found && KEYS[dialect].get(found[1]);
  if (!account) throw new Refused('unauthorized', 'who are you?', { given: Boolean(found) });
  return account;
}

// What a sliding window leaves: `reset` is when its oldest request leaves it.
function limitsOf(account) {
  const now = Date.now();
  const window = account.window ?? MINUTE;
  const recent = account.times.filter((at) => at > now - window);
  const reset = Math.ceil(((recent[0] ?? now) + window) / 1000);
  return { limit: account.perMinute, remaining: Math.max(0, account.perMinute - recent.length), reset, now };
}

function admit(account, streams) {
  const said = limitsOf(account);
  const today = account.times.filter((at) => Math.floor(at / DAY) === Math.floor(said.now / DAY));
  const refuse = (wait) => { throw new Refused('limited', `Slow down: ${wait} s`, { wait }); };
  if (said.remaining === 0) refuse(Math.max(1, Math.ceil(said.reset - said.now / 1000)));
  if (account.perDay && today.length >= account.perDay) refuse(Math.ceil((DAY - (said.now % DAY)) / 1000));
  if (streams && account.concurrent && account.open >= account.concurrent) refuse(2);
  account.times.push(said.now);
}

// Names in another case and order in each dialect; the reference and the slug API promise none and get none.
function limitHeaders(dialect, account) {
  if (!account || dialect === 'reference' || dialect === 'slug') return [];
  const { limit, remaining, reset } = limitsOf(account);
  const rows = [['X-RATELIMIT-REMAINING', remaining], ['X-RATELIMIT-LIMIT', limit], ['X-RATELIMIT-RESET', reset]];
  return dialect === 'guide' ? rows : rows.map(([name, value]) => [name.toLowerCase(), value]);
}

function textOf(body, field, { required = false, nullable = false } = {}) {
  const value = body[field];
  if (value === undefined || (value === null && nullable)) {
    if (required) throw new Refused('invalid', `${field} is missing`);
    return undefined;
  }
  if (typeof value !== 'string') throw new Refused('invalid', `${field} is not a string`);
  return value;
}

function parse(bytes) {
  let body;
  try { body = JSON.parse(bytes.toString('utf8')); } catch { throw new Refused('invalid', 'that is no JSON; a message is wanted'); }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refused('invalid', 'that is no object; a message is wanted');
  return body;
}

function sessionOf(dialect, account, agent, asked) {
  const at = `${dialect}/${agent}/${asked}`;
  const owner = owners.get(at);
  if (dialect === 'guide' && owner && owner !== account) throw new Refused('session', 'no such session');
  const known = account.sessions.get(at);
  if (dialect === 'slug' && asked && !known) throw new Refused('session', `Conversation '${asked}' not found`);
  const id = asked ?? randomUUID();
  const key = `${dialect}/${agent}/${id}`;
  const session = known && Date.now() - known.last < IDLE ? known : { id, said: [] };
  session.last = Date.now();
  account.sessions.set(key, session);
  if (!owners.has(key)) owners.set(key, account);
  return session;
}

function answer(agent, message, said) {
  if (/what code did i ask/i.test(message)) {
    const codes = said.map((text) => /remember this code: (\S+)/i.exec(text)).filter(Boolean);
    return codes.length ? `Your code was “${codes.at(-1)[1]}”.` : 'I know of no code.';
  }
  if (agent === 'slowpoke') return Array.from({ length: 24 }, (_, n) => `${n}…`).join(' ');
  return `“${message}”, you say? Visit nº ${said.length + 1}. Grüße 🌻`;
}

const cost = (text) => Math.ceil([...text].length / 3);

function replyOf(dialect, session, message, text, agent) {
  const [i, o] = [cost(message), cost(text)];
  const usage = { input_tokens: i, output_tokens: o, total_tokens: i + o };
  if (dialect === 'guide') return { agent, response: text, session_id: session.id, usage };
  if (dialect === 'reference') return { response: text, session_id: session.id, usage, tool_calls: agent === 'juggler' ? ['left', 'right'] : [] };
  if (dialect === 'rest') return { session_id: session.id, tokens_used: i + o, response: text, agent };
  return { data: { response: text, conversationId: session.id, metadata: { model: 'valley', tokens: i + o } }, error: null };
}

function eventsOf(dialect, session, message, text, agent) {
  const [i, o] = [cost(message), cost(text)];
  const pieces = text.match(/[^]{1,9}/gu) ?? [text];
  const type = { guide: 'token', reference: 'text', rest: 'content' }[dialect];
  const deltas = pieces.map((piece) => (type ? { type, content: piece } : { chunk: piece }));
  const usage = { input_tokens: i, output_tokens: o };
  if (dialect === 'reference' && agent === 'juggler') {
    const call = (name) => ({ type: 'tool_call', name, args: {} });
    const result = (name) => ({ type: 'tool_result', name, result: [name, 1] });
    deltas.splice(1, 0, call('left'), call('right'), result('right'), result('left'));
  }
  if (dialect === 'reference' && agent === 'faulty') deltas.splice(1, deltas.length, { type: 'error', message: 'worn out', code: 7 });
  const done = {
    guide: { type: 'done', session_id: session.id, usage: { ...usage, total_tokens: i + o } },
    reference: { type: 'done', usage: { ...usage, total_tokens: i + o }, session_id: session.id },
    rest: { type: 'done', session_id: session.id, tokens_used: i + o },
  }[dialect];
  return [...deltas.map((one) => JSON.stringify(one)), done ? JSON.stringify(done) : '[DONE]'];
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function writeStream(dialect, response, datas, account, gap) {
  account.open += 1;
  response.once('close', () => { account.open -= 1; });
  const colon = dialect === 'guide' ? 'data:' : 'data: ';
  const blocks = datas.map((data) => `${colon}${data}\n\n`);
  if (!gap && dialect !== 'reference') return response.end(blocks.join(''));
  for (const block of blocks) {
    if (response.destroyed) return undefined;
    response.write(dialect === 'reference' ? `:\n${block}` : block);
    if (gap) await pause(gap);
  }
  return response.end();
}

function send(response, dialect, status, headers, body) {
  const rows = [...headers, ['Content-Type', 'application/json;charset=UTF-8'], ['X-Powered-By', 'valley']];
  const text = JSON.stringify(body);
  if (dialect !== 'reference') rows.push(['Content-Length', Buffer.byteLength(text)]);
  if (dialect === 'slug') rows.push(['Connection', 'close']);
  response.writeHead(status, rows.flat().map(String));
  response.end(text);
}

function refuse(response, dialect, account, why) {
  const headers = limitHeaders(dialect, account);
  if (why.kind === 'unauthorized' && dialect !== 'rest') {
    const bearer = why.given ? 'Bearer realm="valley", error="invalid_token"' : 'Bearer realm="valley"';
    headers.push(['WWW-Authenticate', dialect === 'slug' ? `Basic realm="old door", ${bearer}` : bearer]);
  }
  if (why.kind === 'unavailable') headers.push(['Retry-After', new Date(Date.now() + 9000).toUTCString()]);
  if (why.kind === 'limited' && dialect === 'rest') headers.push(['Retry-After', why.wait]);
  send(response, dialect, STATUS[why.kind], headers, refusalBody(dialect, why));
}

function talk(response, dialect, account, place, body, asksStream) {
  const agent = place.agent ?? textOf(body, 'agent_id', { required: true }).replace(/^ag_/, '');
  const message = textOf(body, 'message', { required: true });
  const nullable = dialect === 'reference' || dialect === 'slug';
  const asked = textOf(body, dialect === 'slug' ? 'conversationId' : 'session_id', { nullable });
  const metadata = body.metadata ?? (nullable ? {} : body.metadata === undefined ? {} : 'null');
  if (['guide', 'reference'].includes(dialect) && (typeof metadata !== 'object' || Array.isArray(metadata))) throw new Refused('invalid', 'metadata is no object');
  if (body.stream !== undefined && typeof body.stream !== 'boolean') throw new Refused('invalid', 'stream is no boolean');
  const streams = asksStream || (body.stream ?? dialect === 'guide');
  if (!AGENTS.has(agent)) throw new Refused('agent', `Nobody here is called ${agent}`);
  if (account.only && account.only !== agent) throw new Refused('scope', 'not with this key');
  if (account.broke) throw new Refused('balance', 'Your purse is empty');
  if (agent === 'away') throw new Refused('unavailable', 'back soon');
  if (agent === 'faulty' && !(streams && dialect === 'reference')) throw new Refused('internal', 'worn out');
  const session = sessionOf(dialect, account, agent, asked);
  admit(account, streams);
  const text = answer(agent, message, session.said);
  session.said.push(message);
  const headers = limitHeaders(dialect, account);
  if (!streams) return send(response, dialect, 200, headers, replyOf(dialect, session, message, text, agent));
  headers.push(['content-type', 'text/event-stream;charset=UTF-8'], ['Cache-Control', 'No-Cache'], ['X-Trace', 'abc']);
  if (dialect === 'rest') {
    response.useChunkedEncodingByDefault = false;
    headers.push(['Connection', 'close']);
  }
  response.writeHead(200, headers.flat().map(String));
  return writeStream(dialect, response, eventsOf(dialect, session, message, text, agent), account, agent === 'slowpoke' ? PACED_GAP : 0);
}

function createKey(response, account, place, body) {
  if (!account.account) throw new Refused('unauthorized', 'not an account', { given: true });
  const name = textOf(body, 'name', { required: true });
  if (!AGENTS.has(place.agent)) throw new Refused('agent', 'no such agent');
  admit(account, false);
  lastId += 1;
  const key = `ak_${randomUUID()}`;
  KEYS.rest.set(key, newAccount({ perMinute: 60, only: place.agent }));
  send(response, 'rest', 200, limitHeaders('rest', account), { name, agent_id: place.agent, id: lastId, key });
}

const PLACES = [
  [/^\/(?<dialect>guide|reference)\/chat$/, false],
  [/^\/(?<dialect>reference)\/chat\/stream$/, true],
  [/^\/(?<dialect>rest)\/v1\/agents\/(?<agent>[^/]+)\/chat$/, false],
  [/^\/(?<dialect>rest)\/agents\/(?<agent>[^/]+)\/(?<keys>api-keys)$/, false],
  [/^\/(?<dialect>slug)(?:\/v1\/api)?\/chat\/(?<agent>[^/]+)$/, false],
];

function placeOf(url) {
  for (const [pattern, asksStream] of PLACES) {
    const found = pattern.exec(url);
    if (found) return { ...found.groups, agent: found.groups.agent && decodeURIComponent(found.groups.agent), asksStream };
  }
  return null;
}

function page(response, status, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'text/html', ...headers });
  response.end(`<h1>${status}</h1>`);
}

const server = createServer((request, response) => {
  const place = placeOf(request.url);
  if (!place) return page(response, 404);
  if (request.method !== 'POST') return page(response, 405, { Allow: 'OPTIONS, POST' });
  let account;
  const attempt = (work) => {
    try { work(); } catch (why) {
      if (!(why instanceof Refused)) throw why;
      refuse(response, place.dialect, account, why);
    }
  };
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => { size += chunk.length; if (size <= MOST_BYTES) chunks.push(chunk); });
  if (Number(request.headers['content-length']) > MOST_BYTES) {
    return attempt(() => { account = accountOf(place.dialect, request); throw new Refused('large', 'too much at once'); });
  }
  return request.on('end', () => attempt(() => {
    account = accountOf(place.dialect, request);
    const body = parse(Buffer.concat(chunks));
    if (place.keys) createKey(response, account, place, body);
    else talk(response, place.dialect, account, place, body, place.asksStream);
  }));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log(server.address().port));
