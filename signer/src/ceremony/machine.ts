// This seat's part in the generation of the ring's keys (RNG-3 to 5), driven by the proven records alone:
//
//   stage deal:     deal (journaled, published once an attempt)
//   stage confirm:  open all deals -> share saved -> confirm, or complain of the wrong ones
//   any later time: a share that is missing is opened again from the ledger's deals and the host key
//
// There is nothing to lose here: a process that starts in the middle reads where it stands from the ledger.
import type {
  Action,
  Ceremony,
  CeremonyParams,
  Deal,
  Genesis,
  StateReader,
} from "@causeway/chain-core/interchain";
import {
  ceremonies,
  ceremonyContext,
  ceremonyStages,
  complaintCodec,
  confirmCodec,
  currentKeys,
  dealCodec,
  deals,
  keys,
  kinds,
  openCeremonies,
} from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId, Step } from "@causeway/primitives";
import {
  bytes32,
  concat,
  equal,
  H,
  isRejected,
  isZero,
  must,
  unreachable,
} from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { Opened } from "../frost/keygen.ts";
import { makeConfirm, makeDeal, openDeals } from "../frost/keygen.ts";
import type { DealMade } from "../journal.ts";
import type { Turn } from "../turn.ts";

/** A share of this seat, opened or loaded. */
export type Share = { readonly seat: number; readonly secret: Uint8Array };

export type State = {
  /** By key id. */
  readonly shares: ReadonlyMap<number, Share>;
  /** Key ids whose share is held, fits and is confirmed on the ledger: nothing is left to do for them. */
  readonly settled: ReadonlySet<number>;
  /** Deals made by this process or an earlier one, by "key/attempt". */
  readonly dealt: ReadonlyMap<string, Uint8Array>;
  /** What was said about an attempt, so that it is said once: "key/attempt/deals hash". */
  readonly answered: ReadonlySet<string>;
};

export type Event =
  /** From the journal and the share files at start; a share whose seat is unknown is checked at first use. */
  | {
      readonly kind: "restored";
      readonly deals: readonly DealMade[];
      readonly shares: readonly { readonly keyId: number; readonly share: Uint8Array }[];
    }
  | { readonly kind: "viewed"; readonly view: StateReader };

export type Effect =
  | { readonly kind: "deal-made"; readonly deal: DealMade }
  | {
      readonly kind: "save-share";
      readonly keyId: number;
      readonly share: Uint8Array;
      readonly packageHash: Uint8Array;
    }
  | { readonly kind: "act"; readonly key: string; readonly action: Action }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export type Context = {
  readonly genesis: Genesis;
  readonly seat: number;
  readonly hostSecret: Uint8Array;
};

export const initial: State = {
  shares: new Map(),
  settled: new Set(),
  dealt: new Map(),
  answered: new Set(),
};

export function step(
  context: Context,
  state: State,
  event: Event,
  turn: Turn,
): Step<State, Effect> {
  switch (event.kind) {
    case "restored": {
      const dealt = new Map(state.dealt);
      for (const { keyId, attempt, body } of event.deals) dealt.set(`${keyId}/${attempt}`, body);
      const shares = new Map(state.shares);
      for (const { keyId, share } of event.shares) shares.set(keyId, { seat: -1, secret: share });
      return [{ ...state, dealt, shares }, []];
    }
    case "viewed":
      return viewed(context, state, event.view, turn);
    default:
      return unreachable(event);
  }
}

function viewed(
  context: Context,
  state: State,
  view: StateReader,
  turn: Turn,
): Step<State, Effect> {
  let current = state;
  const effects: Effect[] = [];
  const visit = ([next, orders]: Step<State, Effect>): void => {
    current = next;
    effects.push(...orders);
  };
  for (const keyId of visited(context.genesis, view)) {
    const ceremony = ceremonies.get(view, keyId);
    if (ceremony === undefined) continue;
    const seat = ownSeat(context, ceremony);
    if (seat === undefined) continue;
    if (ceremony.stage === ceremonyStages.deal) visit(deal(context, current, ceremony, seat, turn));
    else visit(open(context, current, view, ceremony, seat, turn));
  }
  return [current, effects];
}

/** Open ceremonies and the keys in use: the second so that late and lost shares come back. */
function visited(genesis: Genesis, view: StateReader): number[] {
  const open = openCeremonies.get(view, "only")?.keyIds ?? [];
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  const current = chains.flatMap((chain) => currentKeys.get(view, chain)?.keyId ?? []);
  return [...new Set([...open, ...current])];
}

function ownSeat(context: Context, ceremony: Ceremony): number | undefined {
  const { owner } = must(context.genesis.validators[context.seat], "own validator");
  const hostKey = publicPoint(context.hostSecret);
  const seat = ceremony.seats.findIndex(
    (one) => equal(one.validator, owner) && equal(one.hostKey, hostKey),
  );
  return seat < 0 ? undefined : seat;
}

export function paramsOf(network: NetworkId, ceremony: Ceremony): CeremonyParams {
  return {
    network,
    keyId: ceremony.keyId,
    attempt: ceremony.attempt,
    chain: bytes32(ceremony.chain),
    n: ceremony.seats.length,
    t: ceremony.threshold,
    hostKeys: ceremony.seats.map(({ hostKey }) => hostKey),
  };
}

function deal(
  context: Context,
  state: State,
  ceremony: Ceremony,
  seat: number,
  turn: Turn,
): Step<State, Effect> {
  if (ceremony.dealt.includes(seat)) return [state, []];
  const { keyId, attempt } = ceremony;
  const name = `${keyId}/${attempt}`;
  const act = (body: Uint8Array): Effect => ({
    kind: "act",
    key: `deal/${name}`,
    action: { kind: kinds.deal, body },
  });
  const before = state.dealt.get(name);
  if (before !== undefined) return [state, [act(before)]];
  const params = paramsOf(context.genesis.networkId, ceremony);
  const made = makeDeal(ceremonyContext(params), params, seat, context.hostSecret, turn.draw());
  const body = dealCodec.encode(made);
  const next = { ...state, dealt: new Map(state.dealt).set(name, body) };
  const fields = { keyId, attempt, seat };
  return [
    next,
    [
      { kind: "deal-made", deal: { keyId, attempt, body } },
      act(body),
      { kind: "log", level: "info", message: "dealt", fields },
    ],
  ];
}

/** The deals that count, in order of seats; undefined while one of them has not been read. */
function countedDeals(view: StateReader, ceremony: Ceremony): Deal[] | undefined {
  const { keyId, attempt } = ceremony;
  const counted: Deal[] = [];
  const seats = ceremony.dealt.filter((seat) => !ceremony.voided.includes(seat));
  for (const seat of [...seats].sort((a, b) => a - b)) {
    const record = deals.get(view, { keyId, attempt, seat });
    if (record === undefined) return undefined;
    counted.push(dealCodec.decode(record.deal));
  }
  return counted;
}

function open(
  context: Context,
  state: State,
  view: StateReader,
  ceremony: Ceremony,
  seat: number,
  turn: Turn,
): Step<State, Effect> {
  const { keyId, attempt } = ceremony;
  const held = state.shares.get(keyId);
  const known = heldFits(ceremony, seat, held);
  const confirmed = isConfirmed(view, ceremony, seat);
  if (known && confirmed) {
    const settled = new Set(state.settled).add(keyId);
    return [{ ...placed(state, keyId, seat, held), settled }, []];
  }
  const name = `${keyId}/${attempt}/${ceremony.voided.length}`;
  if (state.answered.has(name)) return [state, []];
  const counted = countedDeals(view, ceremony);
  if (counted === undefined) return [state, []];
  const params = paramsOf(context.genesis.networkId, ceremony);
  const [ctx, { hostSecret }] = [ceremonyContext(params), context];
  const each = ceremony.voided.length > 0;
  const opened = openDeals(ctx, params, seat, hostSecret, counted, turn.draw(), each);
  const fields = { keyId, attempt, seat };
  if (isRejected(opened)) {
    const answered = new Set(state.answered).add(name);
    const message = "the deals give no share";
    const refusal = { ...fields, code: opened.code, reason: opened.message };
    return [{ ...state, answered }, [{ kind: "log", level: "error", message, fields: refusal }]];
  }
  if (opened.kind === "complaints") return complain(state, name, opened, fields);
  return confirm(context, state, { name, seat, params, ctx, opened, confirmed }, turn);
}

/** Whether the share held is that of the seat under the commitments that count now. */
function heldFits(ceremony: Ceremony, seat: number, held: Share | undefined): held is Share {
  if (held === undefined) return false;
  const y = publicPoint(held.secret);
  const confirmed = ceremony.confirmed.find((one) => one.seat === seat);
  return confirmed !== undefined && equal(confirmed.share, y);
}

function isConfirmed(view: StateReader, ceremony: Ceremony, seat: number): boolean {
  if (ceremony.confirmed.some((one) => one.seat === seat)) return true;
  const share = keys.get(view, ceremony.keyId)?.shares[seat];
  return share !== undefined && !isZero(share);
}

function placed(state: State, keyId: number, seat: number, held: Share): State {
  if (held.seat === seat) return state;
  const shares = new Map(state.shares).set(keyId, { seat, secret: held.secret });
  return { ...state, shares };
}

function complain(
  state: State,
  name: string,
  opened: Opened & { kind: "complaints" },
  fields: Readonly<Record<string, string | number>>,
): Step<State, Effect> {
  const effects = opened.complaints.flatMap((complaint): Effect[] => [
    {
      kind: "act",
      key: `complaint/${name}/${complaint.dealer}`,
      action: { kind: kinds.complaint, body: complaintCodec.encode(complaint) },
    },
    {
      kind: "log",
      level: "warn",
      message: "a dealer sent a wrong share",
      fields: { ...fields, dealer: complaint.dealer },
    },
  ]);
  return [{ ...state, answered: new Set(state.answered).add(name) }, effects];
}

/** The share is saved before its confirmation leaves (research: threshold 7). */
function confirm(
  context: Context,
  state: State,
  found: {
    readonly name: string;
    readonly seat: number;
    readonly params: CeremonyParams;
    readonly ctx: Bytes32;
    readonly opened: Opened & { kind: "opened" };
    readonly confirmed: boolean;
  },
  turn: Turn,
): Step<State, Effect> {
  const { name, seat, params, ctx, opened, confirmed } = found;
  const { keyId } = params;
  const { networkId } = context.genesis;
  const shares = new Map(state.shares).set(keyId, { seat, secret: opened.share });
  const answered = new Set(state.answered).add(name);
  const packageHash = packageHashOf(networkId, opened.merged.commitments);
  const save: Effect = { kind: "save-share", keyId, share: opened.share, packageHash };
  const next = { ...state, shares, answered };
  if (confirmed) return [next, [save]];
  const made = makeConfirm(ctx, params, seat, opened.share, opened.dealsHash, turn.draw());
  const action = { kind: kinds.confirm, body: confirmCodec.encode(made) };
  const fields = { keyId, attempt: params.attempt, seat };
  return [
    next,
    [
      save,
      { kind: "act", key: `confirm/${name}`, action },
      { kind: "log", level: "info", message: "confirmed", fields },
    ],
  ];
}

/** Names the public package that a share belongs to: the merged commitments of its deals. */
export function packageHashOf(network: NetworkId, commitments: readonly Uint8Array[]): Bytes32 {
  return H("public-package", network, concat(...commitments));
}
