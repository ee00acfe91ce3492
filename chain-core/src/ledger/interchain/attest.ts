// attest: what the committee's quorum states about foreign chains (WIT-1, WIT-2). One aggregate, one pairing,
// any number of events. It only stores: what is credited, and when, is decided at the end of the block.
import type { Rejected } from "@causeway/primitives";
import { compare, equal, isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { seatsOf } from "../../codec/bitmap.ts";
import { roles } from "../../codec/transaction.ts";
import { quorum } from "../../consensus/quorum.ts";
import type { Attest, Statement } from "../../interchain/statement.ts";
import { attestCodec, eventIdOf, statementDigest } from "../../interchain/statement.ts";
import { suspendedSeats } from "../epoch/validators.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { setDue } from "./accounting.ts";
import type { BitcoinEventCode } from "./bitcoin-events.ts";
import { bitcoinEvents } from "./bitcoin-events.ts";
import type { EventRules, Identified } from "./event-rules.ts";
import type { EvmEventCode } from "./evm-events.ts";
import { evmEvents } from "./evm-events.ts";

export type AttestCode =
  /** No event. */
  | "empty-statement"
  | "unknown-chain"
  /** Not the running epoch, nor the one before within its ten minutes (WIT-2). */
  | "unknown-epoch"
  | "bad-bitmap"
  /** The seats of the bitmap do not hold the quorum. */
  | "no-quorum"
  | "bad-signature"
  /** Not sorted by event id, or one twice. */
  | "unsorted"
  /** Every event is known already, in the block that it names. */
  | "nothing-new"
  | "bad-event"
  | BitcoinEventCode
  | EvmEventCode;

export const attestRule: Rule<Attest> = {
  kind: kinds.attest,
  codec: attestCodec,
  carriers: [roles.signer, roles.relay],
  balance: () => [],
  validate: (context, attest) => {
    const { statement } = attest;
    const rules = rulesOf(context, statement.chain);
    if (rules === undefined)
      return rejected<AttestCode>("unknown-chain", "events of no chain here");
    const events = identify(context, statement);
    if (isRejected(events)) return events;
    const fresh = events.filter((one) => !rules.isKnown(context, statement.chain, one));
    if (fresh.length === 0) return rejected<AttestCode>("nothing-new", "every event is known");
    const unsigned = checkQuorum(context, attest);
    if (unsigned !== undefined) return unsigned;
    for (const one of fresh) {
      const bad = rules.check(context, statement.chain, one);
      if (bad !== undefined) return bad;
    }
    return undefined;
  },
  apply: (context, { statement }) => {
    const rules = rulesOf(context, statement.chain);
    const events = identify(context, statement);
    if (rules === undefined || isRejected(events)) return;
    for (const one of events)
      if (!rules.isKnown(context, statement.chain, one)) rules.store(context, statement.chain, one);
    setDue(context.state);
  },
};

function rulesOf({ genesis }: ActionContext, chain: Uint8Array): EventRules | undefined {
  if (equal(chain, genesis.bitcoin.chain)) return bitcoinEvents;
  return genesis.evm.some((one) => equal(one.chain, chain)) ? evmEvents : undefined;
}

/** The events with their ids, which must ascend: the one order of a statement (WIT-1). */
function identify(
  { genesis }: ActionContext,
  { chain, events }: Statement,
): Identified[] | Rejected<AttestCode> {
  if (events.length === 0) return rejected("empty-statement", "a statement without events");
  const identified: Identified[] = [];
  for (const event of events) {
    const id = eventIdOf(genesis.networkId, chain, event);
    if (isRejected(id)) return id;
    const before = identified.at(-1);
    if (before !== undefined && compare(before.id, id) >= 0)
      return rejected("unsorted", "events are not sorted by their ids, each once");
    identified.push({ id, event });
  }
  return identified;
}

/**
 * WIT-2: the quorum of the named epoch's committee, by its attest keys, over the whole statement. A barred seat may be
 * in it and does not count (CON-3).
 */
function checkQuorum(
  { genesis, bls, state, committee }: ActionContext,
  { statement, bitmap, signature }: Attest,
): Rejected<AttestCode> | undefined {
  const voters = committee(statement.epoch);
  if (voters === undefined) return rejected("unknown-epoch", `no epoch ${statement.epoch} now`);
  const { members } = voters;
  const seats = seatsOf(bitmap, members.length);
  if (isRejected(seats)) return seats;
  const signers = members.filter((_, seat) => seats.includes(seat));
  const barred = suspendedSeats(state, voters);
  const power = seats.reduce(
    (sum, seat) => (barred.includes(seat) ? sum : sum + (members[seat]?.power ?? 0n)),
    0n,
  );
  const total = members.reduce((sum, member) => sum + member.power, 0n);
  if (power < quorum(total))
    return rejected("no-quorum", `power ${power} of ${total} stands behind the statement`);
  const keys = signers.map(({ attestKey }) => attestKey);
  return bls.verifyAggregate(keys, statementDigest(genesis.networkId, statement), signature)
    ? undefined
    : rejected("bad-signature", "the aggregate does not verify");
}
