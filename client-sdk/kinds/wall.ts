// The handle of a group's wall, which only the server writes.
import { WALL_KIND } from '../../shared/wall/kind.ts'

export const KIND = WALL_KIND

export const methods = (): object => ({})
