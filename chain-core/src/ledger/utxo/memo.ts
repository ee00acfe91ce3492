// memo: a note that its signers sign and everybody can read. It does nothing.
import { rejected } from "@causeway/primitives";
import type { Memo } from "../../codec/action.ts";
import { kinds, memoCodec } from "../../codec/action.ts";
import type { Rule } from "../rule.ts";

export type MemoCode =
  /** Empty, or no UTF-8. */
  "bad-memo";

export const memoRule: Rule<Memo> = {
  kind: kinds.memo,
  codec: memoCodec,
  carriers: "user",
  balance: () => [],
  validate: (_, { text }) =>
    text.length > 0 && memoText(text) !== undefined
      ? undefined
      : rejected<MemoCode>("bad-memo", "a memo is 1 to 128 bytes of UTF-8"),
  apply: () => {},
  describe: (_, { text }) => `memo "${escaped(memoText(text) ?? "")}"`,
};

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function memoText(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * First and last code points of what no reader sees or what turns the text around: controls, soft hyphen, fillers,
 * zero-width and direction marks, line and paragraph separators, variation selectors, tags. Written out, since a
 * property such as \p{C} changes with each version of Unicode, and with it what was signed before.
 */
const unseen: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xe0000, 0xe0fff],
];

function escaped(text: string): string {
  return [...text].map(escapedOne).join("");
}

function escapedOne(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const isUnseen = unseen.some(([first, last]) => code >= first && code <= last);
  return isUnseen || character === '"' || character === "\\"
    ? `\\u{${code.toString(16)}}`
    : character;
}
