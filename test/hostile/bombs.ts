// Declared-count bombs: updates of every kind of struct with one number, at each place in turn, replaced by one that lies.
import { hex, paddedZero } from './update-writer.ts'

/** Updates in hexadecimal; `{}` holds each number that may not be just anything. */
const TEMPLATES = [
  '{01} {01} 07 {00} 00{05} {00}',
  '{01} {01} 07 {00} 01{01}{01}61 {05} {00}',
  '{01} {01} 07 {00} 02{01}{01}61 {01}{01}31 {00}',
  '{01} {01} 07 {00} 03{01}{01}61 {02}0102 {00}',
  '{01} {01} 07 {00} 04{01}{01}61 {01}62 {00}',
  '{01} {02} 07 {00} 04{01}{01}61 {01}62 84{07}{00}{01}62 {00}',
  '{01} {02} 07 {00} 04{01}{01}61 {01}62 44{07}{00}{01}62 {00}',
  '{01} {01} 07 {00} 28{01}{01}61{01}6b {01}7e {00}',
  '{01} {02} 07 {00} 07{01}{01}61{01} 2800{07}{00}{01}6b{01}7e {00}',
  '{01} {01} 07 {00} 05{01}{01}61 {02}7b7d {00}',
  '{01} {01} 07 {00} 06{01}{01}61 {01}62{01}31 {00}',
  '{01} {01} 07 {00} 07{01}{01}61 {03}{01}70 {00}',
  '{01} {01} 07 {00} 08{01}{01}61 {01}76{01}{01}6b7e {00}',
  '{01} {01} 07 {00} 08{01}{01}61 {01}75{01}7e {00}',
  '{01} {01} 07 {00} 08{01}{01}61 {01}74{01}ff {00}',
  '{01} {01} 07 {00} 09{01}{01}61 {01}6776{00} {00}',
  '{01} {02} 07 {00} 04{01}{01}61 {01}62 84{07}{00}{01}62 {01}{07}{01}{00}{02}',
]

/** 2^25-1, 2^32, 2^53-1, 2^56, 2^63, and zero in 161 bytes. */
const NUMBERS = [
  'ffffff0f',
  '8080808010',
  'ffffffffffffff0f',
  '808080808080808001',
  'ffffffffffffffff7f',
  paddedZero(160),
]

const withNumber = (template: string, number: string): Uint8Array[] =>
  [...template.matchAll(/\{[0-9a-f]+\}/g)].map(({ index, 0: replaced }) =>
    hex((template.slice(0, index) + number + template.slice(index + replaced.length)).replaceAll(/[{}]/g, '')),
  )

/** Every bomb there is: each number at each place. */
export const BOMBS: readonly Uint8Array[] = TEMPLATES.flatMap((template) =>
  NUMBERS.flatMap((number) => withNumber(template, number)),
)
