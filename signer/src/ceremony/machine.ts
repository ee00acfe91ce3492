// This signer's part in the ceremonies of the ring's keys (RNG-2 to 5), driven by the proven records alone, for each of
// its seats by itself:
//
//   stage deal:     deal (journaled, published once an attempt): in a resharing, as a seat of the old ring, its share
//   stage confirm:  open all deals -> share saved -> confirm, or complain of the wrong ones
//   any later time: a share that is missing is opened again from the ledger's deals and the host key; one that a newer
//                   epoch of the key has replaced is erased
//
// There is nothing to lose here: a process that starts in the middle reads where it stands from the ledger.
import type { Ceremony, CeremonyParams, Key, StateReader } from "@causeway/chain-core/interchain";
import {
  ceremonyContext,
  ceremonyStages,
  dealCodec,
  kinds,
  paramsOf,
  purposes,
} from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { equal, isZero, must, unreachable } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import {
  ceremonyUnderWay,
  keyIdsUpTo,
  openKeyIds,
  readCeremony,
  readKey,
} from "../follow/rings.ts";
import { makeDeal } from "../frost/keygen.ts";
import type { DealMade } from "../journal.ts";
import { once } from "../once.ts";
import { nameOf } from "../share-file.ts";
import type { Turn } from "../turn.ts";
import { dealtShare, eraseShares } from "./epochs.ts";
import { countedDeals, openSeat } from "./open.ts";
import type { Context, Effect, Event, OwnSeat, Share, State } from "./state.ts";
import { needsCeremony, ownSeats } from "./state.ts";

export { hostsOver } from "./epochs.ts";
export type { Context, Effect, Event, Share, State } from "./state.ts";
export { initial, needsCeremony, needsDeals } from "./state.ts";

export function step(
  context: Context,
  state: State,
  event: Event,
  turn: Turn,
): Step<State, Effect> {
  switch (event.kind) {
    case "restored": {
      const dealt = new Map(event.deals.map((deal) => [nameOf(deal), deal]));
      const shares = event.shares.map(({ share, ...name }): [string, Share] => {
        // Its own bytes: they are overwritten when it is erased.
        const secret = Uint8Array.from(share);
        return [nameOf(name), { ...name, secret, point: publicPoint(secret) }];
      });
      return [{ ...state, dealt, shares: new Map(shares) }, []];
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
  const held = activeKeys(context, view);
  const settled = held.flatMap((key) => settledSeats(context, state, key));
  let current: State = { ...state, settled: new Set(settled) };
  const effects: Effect[] = [];
  const visit = ([next, orders]: Step<State, Effect>): void => {
    current = next;
    effects.push(...orders);
  };
  const visited = new Set<string>();
  for (const ceremony of [...underWay(view), ...unsettled(context, current, view, held)]) {
    const { keyId, attempt, stage } = ceremony;
    visited.add(`${keyId}/${attempt}`);
    const params = paramsOf({ genesis: context.genesis, state: view }, ceremony);
    // The ring that deals is not read yet.
    if (ceremony.purpose === purposes.reshare && params.from === undefined) continue;
    if (stage === ceremonyStages.deal)
      for (const dealer of dealersOf(context, current, view, ceremony))
        visit(deal(current, ceremony, params, dealer, turn));
    else {
      // Decoding 150 deals takes a tenth of a second.
      const counted = once(() => countedDeals(view, ceremony, params));
      for (const own of ownSeats(context, ceremony.seats))
        visit(openSeat(current, { view, ceremony, params, counted, own }, turn));
    }
  }
  visit(eraseShares(current, view));
  return [forgotten(current, view, visited), effects];
}

function underWay(view: StateReader): Ceremony[] {
  return openKeyIds(view).flatMap((keyId) => ceremonyUnderWay(view, keyId) ?? []);
}

function activeKeys({ genesis }: Context, view: StateReader): Key[] {
  return keyIdsUpTo(genesis, view).flatMap((keyId) => {
    const key = readKey(view, keyId);
    return key?.active === true ? [key] : [];
  });
}

/** Own seats of a key in use whose share is held as the ledger has it. */
function settledSeats(context: Context, { shares }: State, key: Key): string[] {
  return ownSeats(context, key.seats).flatMap(({ seat }) => {
    const name = nameOf({ ...key, seat });
    const point = shares.get(name)?.point;
    return point !== undefined && equal(point, must(key.shares[seat], "Y")) ? [name] : [];
  });
}

/** The ceremonies that made the shares in use of which one is missing here: so that late and lost ones come back. */
function unsettled(
  context: Context,
  state: State,
  view: StateReader,
  held: readonly Key[],
): Ceremony[] {
  return held.flatMap((key) => {
    const ceremony = needsCeremony(context, state, key) ? readCeremony(view, key.keyId) : undefined;
    return ceremony?.attempt === key.attempt ? [ceremony] : [];
  });
}

/** Without answers to ceremonies that are over, and deals that nobody takes any more. */
function forgotten(state: State, view: StateReader, visited: ReadonlySet<string>): State {
  const epochOf = (name: string): string => name.split("/", 2).join("/");
  const answered = [...state.answered].filter(([name]) => visited.has(epochOf(name)));
  const dealt = [...state.dealt].filter(([, { keyId, attempt }]) => {
    const ceremony = ceremonyUnderWay(view, keyId);
    if (ceremony === undefined) return true;
    return ceremony.attempt === attempt && ceremony.stage === ceremonyStages.deal;
  });
  return { ...state, answered: new Map(answered), dealt: new Map(dealt) };
}

/** An own seat that deals: in a resharing one of the ring that holds the key, with its share. */
type Dealer = OwnSeat & { readonly share: Uint8Array | undefined };

function dealersOf(
  context: Context,
  state: State,
  view: StateReader,
  { keyId, purpose, seats }: Ceremony,
): Dealer[] {
  if (purpose !== purposes.reshare)
    return ownSeats(context, seats).map((own) => ({ ...own, share: undefined }));
  const key = readKey(view, keyId);
  if (key === undefined) return [];
  return ownSeats(context, key.seats).flatMap((own) => {
    const share = dealtShare(state, key, own.seat);
    return share === undefined ? [] : [{ ...own, share }];
  });
}

function deal(
  state: State,
  ceremony: Ceremony,
  params: CeremonyParams,
  { seat, secret, share }: Dealer,
  turn: Turn,
): Step<State, Effect> {
  if (ceremony.dealt.includes(seat)) return [state, []];
  // Confirmed after the attempt began: this one knows the seat as one without a share.
  const y = params.from?.shares[seat];
  if (y !== undefined && isZero(y)) return [state, []];
  const { keyId, attempt } = ceremony;
  const name = nameOf({ keyId, attempt, seat });
  const act = (body: Uint8Array): Effect => ({
    kind: "act",
    key: `deal/${name}`,
    action: { kind: kinds.deal, body },
  });
  const before = state.dealt.get(name);
  if (before !== undefined) return [state, [act(before.body)]];
  const made = makeDeal(ceremonyContext(params), params, seat, secret, turn.draw(), share);
  const body = dealCodec.encode(made);
  const record: DealMade = { keyId, attempt, seat, body };
  const next = { ...state, dealt: new Map(state.dealt).set(name, record) };
  const fields = { keyId, attempt, seat };
  return [
    next,
    [
      { kind: "deal-made", deal: record },
      act(body),
      { kind: "log", level: "info", message: "dealt", fields },
    ],
  ];
}
