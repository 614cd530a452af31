// Runs the y-websocket server as a process of its own. It keeps documents in memory only.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { setupConnection } from './y-websocket-server.ts'

const http = createServer((_request, response) => response.end('okay'))
const sockets = new WebSocketServer({ noServer: true })
sockets.on('connection', setupConnection)
http.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (upgraded) => sockets.emit('connection', upgraded, request))
})
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`y-websocket listening on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`)
})
