// What this node can prove against validators, as bodies of evidence actions: its relay brings them to the ledger.
import { keyOf, zero32 } from "@causeway/primitives";
import type { Evidence as Body } from "../codec/evidence.ts";
import { evidenceCodec, statementKinds } from "../codec/evidence.ts";
import type { Evidence } from "../consensus/vote-set.ts";
import { knownCommittee } from "../ledger/epoch/epochs.ts";
import { isTombstoned } from "../ledger/epoch/validators.ts";
import type { StateReader } from "../ledger/state.ts";

/** The evidence action that shows it. */
function evidenceBody(found: Evidence): Body {
  switch (found.kind) {
    case "double-vote": {
      const { first, second } = found;
      return { height: first.height, seat: first.seat, first, second, reporter: zero32 };
    }
    case "lock-violation": {
      const { precommit, prevote } = found;
      const { height, seat } = prevote;
      return { height, seat, first: precommit, second: prevote, reporter: zero32 };
    }
    case "double-proposal": {
      const { height, seat, round } = found;
      const said = { kind: statementKinds.proposal, round };
      return {
        height,
        seat,
        first: { ...found.first, ...said },
        second: { ...found.second, ...said },
        reporter: zero32,
      };
    }
  }
}

/**
 * Of each validator that is not tombstoned the oldest evidence that the ledger of `reader` can still judge, as
 * evidenceCodec bytes.
 */
export function openEvidence(reader: StateReader, all: readonly Evidence[]): Uint8Array[] {
  const open = new Map<string, Uint8Array>();
  for (const found of all) {
    const body = evidenceBody(found);
    const member = knownCommittee(reader, body.height)?.members[body.seat];
    if (member === undefined || isTombstoned(reader, member.validator)) continue;
    const offender = keyOf(member.validator);
    if (!open.has(offender)) open.set(offender, evidenceCodec.encode(body));
  }
  return [...open.values()];
}
