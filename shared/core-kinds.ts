// The kinds of documents there are, without what a client must not load at its start: the formats of rich text.
import { BOARD_KIND } from './board/kind.ts'
import { CHAT_KIND } from './chat/kind.ts'
import { CHECKINS_KIND } from './checkins/kind.ts'
import { CORE_DOCUMENT_KIND } from './document/core-kind.ts'
import { GROUP_KIND } from './group/kind.ts'
import type { Kind } from './kind.ts'
import { MARKS_KIND } from './marks/kind.ts'
import { ME_KIND } from './me/kind.ts'
import { TASKS_KIND } from './tasks/kind.ts'
import { WALL_KIND } from './wall/kind.ts'

export const CORE_KINDS: ReadonlyMap<string, Kind> = new Map(
  [
    CORE_DOCUMENT_KIND,
    TASKS_KIND,
    BOARD_KIND,
    CHAT_KIND,
    MARKS_KIND,
    CHECKINS_KIND,
    WALL_KIND,
    GROUP_KIND,
    ME_KIND,
  ].map((kind) => [kind.name, kind]),
)
