// The ProseMirror schema that Markdown is parsed into: our node and mark names, permissive about what stands where.
import { type MarkSpec, type NodeSpec, Schema } from 'prosemirror-model'
import { MARK_NAMES } from './tree.ts'

const block = (content: string, more: NodeSpec = {}): NodeSpec => ({ group: 'block', content, ...more })

const nodes: Record<string, NodeSpec> = {
  doc: { content: 'block*' },
  paragraph: block('inline*'),
  heading: block('inline*', { attrs: { level: { default: 1 } } }),
  blockquote: block('block*'),
  bulletList: block('listItem*'),
  orderedList: block('listItem*', { attrs: { start: { default: 1 } } }),
  listItem: { content: 'block*', attrs: { checked: { default: null } } },
  codeBlock: block('text*', { marks: '', code: true, attrs: { language: { default: null } } }),
  horizontalRule: block(''),
  hardBreak: { group: 'inline', inline: true },
  image: {
    group: 'inline',
    inline: true,
    attrs: { src: { default: null }, alt: { default: null }, title: { default: null } },
  },
  text: { group: 'inline' },
}

const marks: Record<string, MarkSpec> = Object.fromEntries(
  MARK_NAMES.map((name) => [name, name === 'link' ? { attrs: { href: {}, title: { default: null } } } : {}]),
)

export const SCHEMA = new Schema({ nodes, marks })
