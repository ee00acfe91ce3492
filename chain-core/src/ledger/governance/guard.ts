// guard: slow mode and pauses (GOV-2). It needs no carrier of its own: what counts are the guardians' signatures, or
// the approval of committee members, that it carries.
import type { Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  b32,
  b65,
  ContainerType,
  codec,
  equal,
  H,
  isZero,
  ListCompositeType,
  rejected,
  toHex,
  u8,
  u32,
  u64,
} from "@causeway/primitives";
import { recover } from "@causeway/primitives/secp256k1";
import { kinds } from "../../codec/action.ts";
import { honestMin, quorum } from "../../consensus/quorum.ts";
import type { Genesis } from "../genesis.ts";
import type { ActionContext, BlockContext, Rule } from "../rule.ts";
import type { StateReader, Table } from "../state.ts";
import { byNumber, modules, table } from "../state.ts";
import type { Approval, ApprovalCode } from "./approval.ts";
import { approvalType, checkApproval } from "./approval.ts";
import type { Way } from "./restrictions.ts";
import { directions, pauseOf, restrictions, restrictionsOf } from "./restrictions.ts";

/** Slow mode; a pause that begins or, by the quorum, begins anew; its end by the quorum. */
export const guardActs = { slow: 1, pause: 2, lift: 3 } as const;

/** `chain` and `direction` are 0 for slow mode. `sequence`: the guardian's own for slow mode, else the pause's. */
export type GuardOrder = { act: number; chain: Uint8Array; direction: number; sequence: number };
const orderType = new ContainerType({ act: u8, chain: b32, direction: u8, sequence: u32 });
/** Subject of an order's approval. */
export const guardOrderCodec: Codec<GuardOrder> = codec("guard order", orderType, 64);

/** `guardian` is an index of the genesis' list; `signature` recoverable, over {@link guardDigest}. */
export type GuardSignature = { guardian: number; signature: Uint8Array };
/** `guardians` in ascending order; `approval` by attest keys instead, with `order.sequence` as its own. */
export type Guard = { order: GuardOrder; guardians: GuardSignature[]; approval: Approval[] };
export const guardCodec: Codec<Guard> = codec(
  "guard",
  new ContainerType({
    order: orderType,
    guardians: new ListCompositeType(new ContainerType({ guardian: u8, signature: b65 }), 20),
    approval: new ListCompositeType(approvalType, 1),
  }),
  4 * 1024,
);

/** What an approval of the order by the committee is over. */
export function guardSubject(order: GuardOrder): Uint8Array {
  return guardOrderCodec.encode(order);
}

/** What a guardian signs. */
export function guardDigest(network: NetworkId, order: GuardOrder): Bytes32 {
  return H("guard", network, guardOrderCodec.encode(order));
}

/** Of slow modes that a guardian ordered: how many, and ledger time in ms until which it may not order another. */
export type GuardianUse = { sequence: number; restsUntil: number };
export const guardianUses: Table<number, GuardianUse> = table(
  modules.system,
  15,
  byNumber,
  codec("guardian use", new ContainerType({ sequence: u32, restsUntil: u64 }), 16),
);

export type GuardCode =
  | "unknown-act"
  /** Not a chain of the network, or neither in nor out. */
  | "unknown-way"
  /** Guardians and committee at once, none of them, or the wrong ones for this act. */
  | "wrong-signers"
  /** Not in ascending order, each once, of the genesis' list. */
  | "unknown-guardian"
  | "not-enough"
  /** The guardian slowed transfers less than its rest ago. */
  | "rests"
  /** Only the committee's quorum renews a pause, or begins one again so soon. */
  | "not-renewable"
  | "not-paused"
  | ApprovalCode;

const committeeActs: readonly number[] = [guardActs.pause, guardActs.lift];

export const guardRule: Rule<Guard> = {
  kind: kinds.guard,
  codec: guardCodec,
  carriers: "anyone",
  balance: () => [],
  validate: (context, guard) => {
    const { act } = guard.order;
    if (act === guardActs.slow) return checkSlow(context, guard);
    if (!committeeActs.includes(act)) return rejected<GuardCode>("unknown-act", `no act ${act}`);
    return checkPause(context, guard);
  },
  apply: (context, { order, guardians }) => {
    if (order.act === guardActs.slow) applySlow(context, guardians[0]?.guardian ?? 0);
    else applyPause(context, order);
  },
  describe: (genesis, { order }) => describe(genesis, order),
};

function checkSlow(
  context: ActionContext,
  { order, guardians, approval }: Guard,
): Rejected<GuardCode> | undefined {
  const { state, time } = context;
  const [one, ...others] = guardians;
  if (one === undefined || others.length > 0 || approval.length > 0)
    return rejected("wrong-signers", "slow mode is ordered by one guardian");
  if (order.direction !== 0 || !isZero(order.chain))
    return rejected("unknown-way", "slow mode is of every chain and direction");
  const { sequence, restsUntil } = useOf(state, one.guardian);
  if (order.sequence !== sequence)
    return rejected("wrong-sequence", `sequence ${order.sequence}, next is ${sequence}`);
  if (restsUntil > time)
    return rejected("rests", `guardian ${one.guardian} may order again at ${restsUntil}`);
  return checkGuardians(context, order, guardians);
}

function useOf(state: StateReader, guardian: number): GuardianUse {
  return guardianUses.get(state, guardian) ?? { sequence: 0, restsUntil: 0 };
}

function checkGuardians(
  { genesis }: BlockContext,
  order: GuardOrder,
  signatures: readonly GuardSignature[],
): Rejected<GuardCode> | undefined {
  const digest = guardDigest(genesis.networkId, order);
  let before = -1;
  for (const { guardian, signature } of signatures) {
    const key = genesis.guardians.keys[guardian];
    if (key === undefined || guardian <= before)
      return rejected("unknown-guardian", `guardian ${guardian} after ${before}`);
    before = guardian;
    const point = recover(digest, signature);
    if (point === undefined || !equal(point, key))
      return rejected("bad-signature", `the signature is not by guardian ${guardian}`);
  }
  return undefined;
}

function checkPause(context: ActionContext, guard: Guard): Rejected<GuardCode> | undefined {
  const { genesis, state, params, time } = context;
  const { order, guardians } = guard;
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  const isDirection = order.direction === directions.in || order.direction === directions.out;
  if (!isDirection || !chains.some((chain) => equal(chain, order.chain)))
    return rejected("unknown-way", "no chain and direction of this network");
  const pause = pauseOf(restrictionsOf(state), order);
  const expected = pause?.sequence ?? 0;
  if (order.sequence !== expected)
    return rejected("wrong-sequence", `sequence ${order.sequence}, next is ${expected}`);
  if (order.act === guardActs.lift && (pause?.until ?? 0) <= time)
    return rejected("not-paused", "there is no pause to end");
  // Who stopped a way once may not hold it for ever: the committee goes on with it, or it stays open for as long.
  const isFresh = pause === undefined || pause.until + params.pauseMs <= time;
  const needsQuorum = order.act === guardActs.lift || !isFresh;
  const [approval, ...more] = guard.approval;
  if (more.length > 0 || (approval === undefined) === (guardians.length === 0))
    return rejected("wrong-signers", "either guardians or the committee order a pause");
  if (approval !== undefined) {
    const needed = needsQuorum ? quorum : honestMin;
    const subject = guardSubject(order);
    return checkApproval(context, { kind: kinds.guard, subject }, approval, { expected, needed });
  }
  if (needsQuorum)
    return rejected("not-renewable", "only the committee's quorum renews or ends a pause");
  if (guardians.length < genesis.guardians.threshold)
    return rejected(
      "not-enough",
      `${guardians.length} of ${genesis.guardians.threshold} guardians`,
    );
  return checkGuardians(context, order, guardians);
}

function applySlow({ state, params, time }: ActionContext, guardian: number): void {
  const { sequence } = useOf(state, guardian);
  const restsUntil = time + params.slowModeRestMs;
  guardianUses.put(state, guardian, { sequence: sequence + 1, restsUntil });
  const before = restrictionsOf(state);
  const slowUntil = Math.max(before.slowUntil, time + params.slowModeMs);
  restrictions.put(state, "only", { ...before, slowUntil, slowOpen: true });
}

function applyPause({ state, params, time }: ActionContext, order: GuardOrder): void {
  const { act, chain, direction, sequence } = order;
  const before = restrictionsOf(state);
  const old = pauseOf(before, order);
  const until = act === guardActs.lift ? time : time + params.pauseMs;
  const pause = { chain, direction, sequence: sequence + 1, until, open: true };
  const pauses = before.pauses.filter((one) => one !== old);
  restrictions.put(state, "only", { ...before, pauses: [...pauses, pause] });
}

function describe(genesis: Genesis, { act, chain, direction }: GuardOrder): string {
  if (act === guardActs.slow) return "Slow transfers between chains down";
  const verb = act === guardActs.lift ? "End the pause of" : "Pause";
  return `${verb} what ${direction === directions.in ? "comes from" : "goes to"} ${nameOf(genesis, { chain, direction })}`;
}

function nameOf({ bitcoin, evm }: Genesis, { chain }: Way): string {
  if (equal(chain, bitcoin.chain)) return "Bitcoin";
  const known = evm.find((one) => equal(one.chain, chain));
  return known === undefined ? `chain ${toHex(chain)}` : `the EVM chain ${known.chainId}`;
}
