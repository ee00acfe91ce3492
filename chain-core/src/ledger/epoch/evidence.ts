// evidence: anyone shows two statements that convict a validator (CON-3): users for a fee, operators in envelopes. The
// offender is tombstoned: barred from the next block on, and in no committee that is fixed later.
import type { Rejected } from "@causeway/primitives";
import {
  bigEndian,
  concat,
  equal,
  H,
  isRejected,
  isZero,
  must,
  rejected,
} from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import type { Member } from "../../codec/block.ts";
import type { Evidence, SignedStatement } from "../../codec/evidence.ts";
import { evidenceCodec, statementDigestOf, statementKinds } from "../../codec/evidence.ts";
import { contradiction } from "../../consensus/accountability.ts";
import { btm, isLock } from "../assets.ts";
import { moveEconomy } from "../economy.ts";
import type { ActionContext, BlockContext, Rule } from "../rule.ts";
import { causes, slash, stopRewards } from "../staking/punish.ts";
import { addOutput } from "../utxo/outputs.ts";
import { epochOf, knownCommittee } from "./epochs.ts";
import { isTombstoned, tombstone } from "./validators.ts";

export type EvidenceCode =
  /** Neither a vote nor a proposal. */
  | "bad-kind"
  /** Of a height above this block's. */
  | "future-evidence"
  /** Of an epoch whose committee the ledger has forgotten: no stake answers for it any more (STK-2). */
  | "stale-evidence"
  | "bad-seat"
  /** The validator is tombstoned. */
  | "known-evidence"
  /** The reporter is the accused. */
  | "self-made"
  | "bad-reporter"
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
    return (
      checkReporter(context, member, evidence) ??
      checkContents(evidence) ??
      checkSignatures(context, member, evidence)
    );
  },
  apply: (context, evidence) => {
    const member = accused(context, evidence);
    if (isRejected(member)) return;
    const { state, height } = context;
    tombstone(state, member.validator, { epoch: epochOf(state).number, height });
    punish(context, member, evidence);
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

function checkReporter(
  context: ActionContext,
  { validator }: Member,
  evidence: Evidence,
): Rejected<EvidenceCode> | undefined {
  const reporter = reporterOf(context, evidence);
  if (reporter === undefined) return undefined;
  if (equal(reporter, validator))
    return rejected("self-made", "nobody is paid for convicting himself");
  return isLock(reporter)
    ? undefined
    : rejected("bad-reporter", "nobody can sign for the reporter");
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

/** Who shows it: the sender of the envelope, or the lock that a user names; undefined for nobody. */
function reporterOf({ sender }: ActionContext, { reporter }: Evidence): Uint8Array | undefined {
  return sender?.validator ?? (isZero(reporter) ? undefined : reporter);
}

/** STK-2: a part of all stake that backed the offender then; of it the reporter gets a part, the rest is burnt. */
function punish(context: ActionContext, { validator }: Member, evidence: Evidence): void {
  const { state, params, genesis, txid, position } = context;
  const epoch = must(knownCommittee(state, evidence.height), "committee").epoch;
  const bps = params.slashBps;
  stopRewards(state, validator, context.time);
  const taken = slash(context, validator, { epoch, cause: causes.doubleSign, bps });
  const reporter = reporterOf(context, evidence);
  const reward = reporter === undefined ? 0n : (taken * BigInt(params.reporterBps)) / 10_000n;
  if (taken > reward) moveEconomy(state, { burnt: taken - reward });
  if (reporter === undefined || reward === 0n) return;
  const id = H("report", genesis.networkId, concat(txid, bigEndian(position, 4)));
  const asset = btm(genesis);
  addOutput(state, { txid: id, index: 0 }, { asset, amount: reward, lock: reporter }, true);
}
