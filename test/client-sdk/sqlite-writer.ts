// A program to be killed: goes on with the numbers in the SQLite file of its first argument, and prints each that
// resolved.
import { openSqliteDisk } from '../../client-sdk/offline/sqlite.ts'
import { readNumbers, writeNumbers } from '../contract/numbered-writes.ts'

const disk = await openSqliteDisk({ path: process.argv[2] ?? '', server: 'http://127.0.0.1:4400' })
const store = await disk.open('area')
const next = (await readNumbers(store)) + 1
await writeNumbers(store, next, (number) => process.stdout.write(`resolved ${number}\n`))
