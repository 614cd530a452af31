// An earlier state of a document as a change of its present one: what differs is written, so edits that others make
// meanwhile merge, and the history goes on.
import * as Y from 'yjs'
import { AppError } from '../errors.ts'
import { matchLists } from './diff.ts'
import { type AnyType, newBudget, readRuns, readXml, typeToJson } from './read.ts'
import { findRoot, type Form } from './roots.ts'
import { writeRuns } from './write-text.ts'
import { EXACT, writeXml } from './write-xml.ts'

const keyOf = (value: unknown): string => {
  if (value instanceof Uint8Array) return `bytes ${value.join(' ')}`
  if (value instanceof Y.AbstractType)
    return `${value.constructor.name} ${JSON.stringify(typeToJson(value, newBudget()))}`
  return JSON.stringify(value) ?? ''
}

/** A value for another doc: shared types belong to one only. */
const copyOf = (value: unknown): unknown => (value instanceof Y.AbstractType ? (value.clone() as unknown) : value)

const restoreMap = (target: Y.Map<unknown>, source: Y.Map<unknown>): void => {
  for (const key of target.keys()) if (!source.has(key)) target.delete(key)
  for (const [key, wanted] of source) {
    const value = target.get(key)
    if (value instanceof Y.Map && wanted instanceof Y.Map) restoreMap(value, wanted)
    else if (!target.has(key) || keyOf(value) !== keyOf(wanted)) target.set(key, copyOf(wanted))
  }
}

const restoreArray = (target: Y.Array<unknown>, source: Y.Array<unknown>): void => {
  const [olds, news] = [target.toArray(), source.toArray()]
  const matches = matchLists(olds.map(keyOf), news.map(keyOf))
  let [i, j, at] = [0, 0, 0]
  for (const [iNext, jNext] of [...matches, [olds.length, news.length] as const]) {
    if (iNext > i) target.delete(at, iNext - i)
    if (jNext > j) target.insert(at, news.slice(j, jNext).map(copyOf))
    at += jNext - j + 1
    ;[i, j] = [iNext + 1, jNext + 1]
  }
}

const isList = (type: AnyType | undefined): boolean => type !== undefined && type._start !== null

const restoreRoot = (doc: Y.Doc, source: Y.Doc, name: string, form: Form): void => {
  const type = source.share.get(name) as AnyType | undefined
  if (form === 'xml') {
    writeXml(doc.getXmlFragment(name), type ? readXml(type, newBudget()) : [], EXACT)
  } else if (form === 'rich' || form === 'plain') {
    writeRuns(doc.getText(name), type ? readRuns(type, newBudget()) : [])
  } else if (isList(type) || isList(doc.share.get(name) as AnyType | undefined)) {
    restoreArray(doc.getArray(name), source.getArray(name))
  } else restoreMap(doc.getMap(name), source.getMap(name))
}

const sortOf = (form: Form): string => (form === 'rich' ? 'plain' : form)

/** Throws `too-large` for what is more than a reading gives. */
const checkSize = (doc: Y.Doc): void => {
  const budget = newBudget()
  for (const type of doc.share.values()) typeToJson(type as AnyType, budget)
  if (budget.left < 0) throw new AppError('too-large', 'the document holds too much to be compared')
}

/**
 * Plans to bring every root of `doc` to what it is in `source`, a doc of its own. The plan is to be run in a transaction.
 * A root that was of another type then stays as it is. Throws `too-large`, and nothing was written then.
 */
export const planRestore = (doc: Y.Doc, source: Y.Doc): (() => void) => {
  checkSize(doc)
  checkSize(source)
  const names = [...new Set([...doc.share.keys(), ...source.share.keys()])]
  return () => {
    for (const name of names) {
      const [present, past] = [findRoot(doc, name).form, findRoot(source, name).form]
      const form = past === 'empty' ? present : past
      const isPossible = present === 'empty' || sortOf(present) === sortOf(form)
      if (form !== 'empty' && isPossible) restoreRoot(doc, source, name, form)
    }
  }
}
