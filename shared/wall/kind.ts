// The kind `wall`, one document for each group and year. Members read it, the server writes it.
import type { Kind } from '../kind.ts'
import { readWall, WALL_CHECKINS, WALL_STATS } from './model.ts'

export const WALL_KIND: Kind = {
  name: 'wall',
  scope: 'group',
  part: 'year',
  writers: 'server',
  roots: [WALL_CHECKINS, WALL_STATS],
  collections: [],
  operations: [],
  read: readWall,
}
