// evidence: anyone shows two statements that convict a validator (CON-3): users for a fee, operators in envelopes. The
// offender is tombstoned: barred from the next block on, and in no committee that is fixed later.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import type { Member } from "../../codec/block.ts";
import type { Evidence, SignedStatement } from "../../codec/evidence.ts";
import { evidenceCodec, statementDigestOf, statementKinds } from "../../codec/evidence.ts";
import { contradiction } from "../../consensus/accountability.ts";
import type { BlockContext, Rule } from "../rule.ts";
import type { State } from "../state.ts";
import { epochOf, knownCommittee } from "./epochs.ts";
import { isTombstoned, tombstone } from "./validators.ts";

export type EvidenceCode =
  /** Neither a vote nor a proposal. */
  | "bad-kind"
  /** Of a height above this block's. */
  | "future-evidence"
  /** Of an epoch before the previous one, whose committee the ledger has forgotten. */
  | "stale-evidence"
  | "bad-seat"
  /** The validator is tombstoned. */
  | "known-evidence"
  /** One statement twice. */
  | "duplicate"
  /** An honest validator may have signed both. */
  | "not-contradictory"
  /** Not by the seat's key, or not for this network. */
  | "bad-signature";

export const evidenceRule: Rule<Evidence> = {
  kind: kinds.evidence,
  codec: evidenceCodec,
  carriers: "anyone",
  balance: () => [],
  validate: (context, evidence) => {
    const member = accused(context, evidence);
    if (isRejected(member)) return member;
    if (isTombstoned(context.state, member.validator))
      return rejected<EvidenceCode>("known-evidence", "the validator is tombstoned");
    return checkContents(evidence) ?? checkSignatures(context, member, evidence);
  },
  apply: (context, evidence) => {
    const member = accused(context, evidence);
    if (isRejected(member)) return;
    const { state, height } = context;
    tombstone(state, member.validator, { epoch: epochOf(state).number, height });
    slash(state, member.validator, evidence.height);
  },
  describe: (_, { height, seat }) =>
    `Convict the validator in seat ${seat} of two contradicting signatures at height ${height}.`,
};

/** Who sat in the seat when the height was decided. */
function accused(
  { state, height: now }: BlockContext,
  { height, seat }: Evidence,
): Member | Rejected<EvidenceCode> {
  if (height > now) return rejected("future-evidence", `height ${height}, this is block ${now}`);
  const committee = knownCommittee(state, height);
  if (committee === undefined)
    return rejected("stale-evidence", `the committee of height ${height} is forgotten`);
  const member = committee.members[seat];
  return member ?? rejected("bad-seat", `seat ${seat} of ${committee.members.length}`);
}

function checkContents({ height, first, second }: Evidence): Rejected<EvidenceCode> | undefined {
  const known: number[] = Object.values(statementKinds);
  for (const { kind } of [first, second])
    if (!known.includes(kind)) return rejected("bad-kind", `statement kind ${kind}`);
  if (isSame(first, second)) return rejected("duplicate", "one statement twice");
  const proposals = [first, second].filter(({ kind }) => kind === statementKinds.proposal);
  const isContradictory =
    proposals.length > 0
      ? proposals.length === 2 && first.round === second.round
      : contradiction({ ...first, height }, { ...second, height }) !== undefined;
  if (isContradictory) return undefined;
  return rejected("not-contradictory", "an honest validator may sign both");
}

function isSame(a: SignedStatement, b: SignedStatement): boolean {
  return (
    a.kind === b.kind && a.round === b.round && a.polRound === b.polRound && equal(a.block, b.block)
  );
}

function checkSignatures(
  { genesis, bls }: BlockContext,
  { consensusKey }: Member,
  { height, first, second }: Evidence,
): Rejected<EvidenceCode> | undefined {
  for (const statement of [first, second]) {
    const digest = statementDigestOf(genesis.networkId, height, statement);
    if (!bls.verify(consensusKey, digest, statement.signature))
      return rejected("bad-signature", "a statement is not signed by the seat's key here");
  }
  return undefined;
}

/**
 * STK-2: evidence reaches all stake that backed the offender at `height`. Stake can neither be bonded nor leave
 * yet, so that nothing can be burnt; the staking rules hang it in here.
 */
function slash(_state: State, _owner: Uint8Array, _height: number): void {}
