// Makes the WAL as long as it will become, a little after each of the first commits. A commit into room that the file has
// is synced in about half the time of one that makes it longer: its length and its map of blocks stay as they are.
import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs'

const PAGE_BYTES = 4_096
/** Before each page in the WAL, and at its beginning (https://www.sqlite.org/fileformat2.html#walformat). */
const FRAME_HEAD_BYTES = 24
const WAL_HEAD_BYTES = 32
/** More than an ordinary commit takes, so that the room is there before it is needed. */
const STEP = Buffer.alloc(64 * 1_024)
/** The last of a disk is not for this. */
const FREE_BYTES_MIN = 1_024 * 1_024 * 1_024

export interface WalRoom {
  /** Adds a step of zeros, until there is room for `pages`; SQLite takes zeros for the end of its log. Never throws. */
  readonly grow: () => void
  readonly close: () => void
}

/** For the thread that writes, between two commits: nobody else may make the file longer meanwhile. */
export const createWalRoom = (databasePath: string, pages: number): WalRoom => {
  const bytesMax = WAL_HEAD_BYTES + pages * (FRAME_HEAD_BYTES + PAGE_BYTES)
  let file: number | null = null
  let isDone = false

  const close = (): void => {
    isDone = true
    if (file !== null) closeSync(file)
    file = null
  }
  const addStep = (): void => {
    file ??= openSync(`${databasePath}-wal`, 'r+')
    const { size } = fstatSync(file)
    const { bavail, bsize } = statfsSync(databasePath)
    if (size >= bytesMax || bavail * bsize < FREE_BYTES_MIN) close()
    else writeSync(file, STEP, 0, Math.min(STEP.length, bytesMax - size), size)
  }
  return {
    grow: () => {
      if (isDone) return
      try {
        addStep()
      } catch {
        // Only speed is lost: a disk that is full or fails shows at the next commit.
        close()
      }
    },
    close,
  }
}
