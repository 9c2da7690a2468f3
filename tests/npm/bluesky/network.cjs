// A whole Bluesky network in one process, on 127.0.0.1 only: PLC directory, data server, app view, and a Jetstream.
//
//   NODE_PATH=.../node_modules DB_POSTGRES_URL=... REDIS_HOST=127.0.0.1:N node network.cjs
//
// Prints one line of JSON with its addresses when it is ready, and ends when its standard input is closed.
// All but the Jetstream are Bluesky's own programs. The Jetstream is a bridge of a few lines: what the data server says
// on its firehose, decoded by Bluesky's own library, told in the JSON that Bluesky documents for `/subscribe`.
'use strict'

const http = require('node:http')
const net = require('node:net')
require('node:dns').setDefaultResultOrder('ipv4first')

// The programs listen on every address of the machine; here they get no choice.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (where, ...rest) {
  const options = typeof where === 'object' && where !== null ? where : { port: Number(where ?? 0) }
  const callback = rest.find((each) => typeof each === 'function')
  return listen.call(this, { ...options, host: '127.0.0.1' }, ...(callback ? [callback] : []))
}

const { TestNetwork } = require('@atproto/dev-env')
const { Firehose } = require('@atproto/sync')
const { IdResolver } = require('@atproto/identity')
const { lexToJson } = require('@atproto/lexicon')
const { WebSocketServer } = require('ws')

function startJetstream(pdsUrl) {
  const events = [] // { time_us, wire }
  const open = new Map() // socket -> wanted collections
  let last = 0

  function tell(event) {
    last = Math.max(Date.now() * 1000, last + 1)
    const told = { did: event.did, time_us: last, ...event }
    events.push(told)
    for (const [socket, wanted] of open) send(socket, wanted, told)
  }

  function send(socket, wanted, event) {
    const collection = event.commit?.collection
    if (!collection || wanted.length === 0 || wanted.includes(collection)) socket.send(JSON.stringify(event))
  }

  const kinds = {
    create: (evt) => commit(evt, { record: lexToJson(evt.record), cid: evt.cid.toString() }),
    update: (evt) => commit(evt, { record: lexToJson(evt.record), cid: evt.cid.toString() }),
    delete: (evt) => commit(evt, {}),
    identity: (evt) => ({
      did: evt.did,
      kind: 'identity',
      identity: { did: evt.did, handle: evt.handle, seq: evt.seq, time: evt.time },
    }),
    account: (evt) => ({
      did: evt.did,
      kind: 'account',
      account: { active: evt.active, did: evt.did, seq: evt.seq, status: evt.status, time: evt.time },
    }),
  }

  function commit(evt, more) {
    const { rev, event: operation, collection, rkey } = evt
    return { did: evt.did, kind: 'commit', commit: { rev, operation, collection, rkey, ...more } }
  }

  const firehose = new Firehose({
    service: pdsUrl.replace('http', 'ws'),
    idResolver: new IdResolver({ plcUrl: 'http://127.0.0.1:9' }),
    unauthenticatedCommits: true,
    unauthenticatedHandles: true,
    excludeSync: true,
    handleEvent: (evt) => kinds[evt.event] && tell(kinds[evt.event](evt)),
    onError: (error) => console.error('firehose', error),
  })
  firehose.start()

  const server = http.createServer((_, response) => response.writeHead(404).end())
  new WebSocketServer({ server, path: '/subscribe', perMessageDeflate: true }).on('connection', (socket, request) => {
    const query = new URL(request.url, 'http://localhost').searchParams
    const wanted = query.getAll('wantedCollections')
    const cursor = Number(query.get('cursor') ?? Infinity)
    for (const event of events) if (event.time_us >= cursor) send(socket, wanted, event)
    open.set(socket, wanted)
    socket.on('close', () => open.delete(socket))
  })
  return new Promise((resolve) => {
    server.listen(0, () => resolve(`ws://127.0.0.1:${server.address().port}`))
  })
}

async function main() {
  const network = await TestNetwork.create({
    pds: { hostname: 'localhost', enableDidDocWithSession: true },
    bsky: { dbPostgresSchema: 'bsky' },
  })
  const jetstream = await startJetstream(network.pds.url)
  console.log(
    JSON.stringify({ ready: true, pds: network.pds.url, plc: network.plc.url, appview: network.bsky.url, jetstream }),
  )
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
