// Runs stock Hocuspocus as a process of its own on $DATA_DIR.
import { createStockServer } from './stock-server.ts'

const server = createStockServer(process.env['DATA_DIR'] as string)
await server.listen()
process.stdout.write(`stock listening on ${server.httpURL}\n`)
