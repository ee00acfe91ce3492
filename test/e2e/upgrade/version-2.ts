// A version 2 of the protocol that exists in tests alone: one more action kind, which says something and does nothing.

import type { Codec } from "@causeway/primitives";
import { ByteListType, ContainerType, codec } from "@causeway/primitives";
import { roles } from "../../../chain-core/src/codec/transaction.ts";
import type { Rule } from "../../../chain-core/src/ledger/rule.ts";
import { rules } from "../../../chain-core/src/ledger/rules.ts";
import type { Protocol } from "../../../chain-core/src/ledger/versions.ts";
import { protocolOf } from "../../../chain-core/src/ledger/versions.ts";

type Note = { text: Uint8Array };
export const noteKind = 60_000;
export const noteCodec: Codec<Note> = codec(
  "note",
  new ContainerType({ text: new ByteListType(64) }),
  128,
);

const noteRule: Rule<Note> = {
  kind: noteKind,
  since: 2,
  codec: noteCodec,
  carriers: [roles.relay],
  balance: () => [],
  validate: () => undefined,
  apply: () => {},
};

export const versionTwo: Protocol = protocolOf(2, [...rules, noteRule]);
