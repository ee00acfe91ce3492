// A share out of the ledger's deals (RNG-3, RNG-5): saved and confirmed, or complained about. It is the same work for a
// ceremony under way and for a share that was lost years later.
import type { Ceremony, CeremonyParams, Deal, StateReader } from "@causeway/chain-core/interchain";
import {
  ceremonyContext,
  complaintCodec,
  confirmCodec,
  countedSeats,
  dealCodec,
  deals,
  kinds,
} from "@causeway/chain-core/interchain";
import type { Bytes32, NetworkId, Step } from "@causeway/primitives";
import { bytes32, concat, equal, H, isRejected, isZero, must } from "@causeway/primitives";
import { readKey } from "../follow/rings.ts";
import type { Opened } from "../frost/keygen.ts";
import { makeConfirm, openAccepted } from "../frost/keygen.ts";
import { nameOf } from "../share-file.ts";
import type { Turn } from "../turn.ts";
import type { Effect, OwnSeat, Share, State } from "./state.ts";
import { answerName } from "./state.ts";

/** One own seat that is to have its share. */
type Opening = {
  readonly view: StateReader;
  readonly ceremony: Ceremony;
  readonly params: CeremonyParams;
  /** Of {@link countedDeals}: one reading for all own seats. */
  readonly counted: () => readonly Deal[] | undefined;
  readonly own: OwnSeat;
};

export function openSeat(state: State, opening: Opening, turn: Turn): Step<State, Effect> {
  const { view, ceremony, params, own } = opening;
  const { seat } = own;
  const place = nameOf({ ...ceremony, seat });
  const y = confirmedShare(view, ceremony, seat);
  const held = state.shares.get(place);
  if (held !== undefined && y !== undefined && equal(y, held.point))
    return [{ ...state, settled: new Set(state.settled).add(place) }, []];
  if (ceremony.wronged.some((one) => one.seat === seat)) return [state, []];
  const name = answerName(ceremony, seat);
  const before = state.answered.get(name);
  if (before !== undefined) return [state, before];
  const counted = opening.counted();
  if (counted === undefined) return [state, []];
  const { commitments } = ceremony;
  const merged = { commitments, groupPoint: must(commitments[0], "group point") };
  const accepted = { deals: counted, merged, dealsHash: bytes32(ceremony.dealsHash) };
  const each = ceremony.voided.length > 0;
  const ctx = ceremonyContext(params);
  const opened = openAccepted(ctx, params, seat, own.secret, accepted, turn.draw(), each);
  const said = (effects: readonly Effect[]): State => {
    const acts = effects.filter(({ kind }) => kind === "act");
    return { ...state, answered: new Map(state.answered).set(name, acts) };
  };
  if (isRejected(opened)) {
    const message = "the deals give no share";
    const fields = { ...fieldsOf(opening), code: opened.code, reason: opened.message };
    return [said([]), [{ kind: "log", level: "error", message, fields }]];
  }
  if (opened.kind === "complaints") {
    const complaints = complain(name, opened, opening);
    return [said(complaints), complaints];
  }
  const [share, effects] = take(opening, opened, y !== undefined, turn);
  const shares = new Map(state.shares).set(place, share);
  return [{ ...said(effects), shares }, effects];
}

function fieldsOf({ ceremony, own }: Opening): Readonly<Record<string, number>> {
  const { keyId, attempt } = ceremony;
  return { keyId, attempt, seat: own.seat };
}

/** Y of the seat on the ledger, as long as the epoch of the shares is this ceremony's. */
function confirmedShare(
  view: StateReader,
  ceremony: Ceremony,
  seat: number,
): Uint8Array | undefined {
  const confirmed = ceremony.confirmed.find((one) => one.seat === seat);
  if (confirmed !== undefined) return confirmed.share;
  const key = readKey(view, ceremony.keyId);
  const share = key?.attempt === ceremony.attempt ? key.shares[seat] : undefined;
  return share === undefined || isZero(share) ? undefined : share;
}

/** The deals that count, in order of seats; undefined while one of them has not been read. */
export function countedDeals(
  view: StateReader,
  { keyId, attempt, dealt, voided }: Ceremony,
  params: CeremonyParams,
): Deal[] | undefined {
  const valid = dealt.filter((seat) => !voided.includes(seat)).sort((a, b) => a - b);
  const counted: Deal[] = [];
  for (const seat of countedSeats(params, valid) ?? []) {
    const record = deals.get(view, { keyId, attempt, seat });
    if (record === undefined) return undefined;
    counted.push(dealCodec.decode(record.deal));
  }
  return counted.length === 0 ? undefined : counted;
}

function complain(
  name: string,
  { complaints }: Opened & { kind: "complaints" },
  opening: Opening,
): Effect[] {
  return complaints.flatMap((complaint): Effect[] => [
    {
      kind: "act",
      key: `complaint/${name}/${complaint.dealer}`,
      action: { kind: kinds.complaint, body: complaintCodec.encode(complaint) },
    },
    {
      kind: "log",
      level: "warn",
      message: "a dealer sent a wrong share",
      fields: { ...fieldsOf(opening), dealer: complaint.dealer },
    },
  ]);
}

/** The share is saved before its confirmation leaves (research: threshold 7). */
function take(
  opening: Opening,
  opened: Opened & { kind: "opened" },
  isConfirmed: boolean,
  turn: Turn,
): readonly [Share, readonly Effect[]] {
  const { ceremony, params, own } = opening;
  const { seat } = own;
  const name = { keyId: ceremony.keyId, attempt: ceremony.attempt, seat };
  const { share: secret, publicShare: point, dealsHash } = opened;
  const share: Share = { ...name, secret, point };
  const packageHash = packageHashOf(params.network, ceremony.commitments);
  const stored = { ...name, share: Uint8Array.from(secret) };
  const save: Effect = { kind: "save-share", ...stored, packageHash };
  if (isConfirmed) return [share, [save]];
  const made = makeConfirm(ceremonyContext(params), params, seat, secret, dealsHash, turn.draw());
  const action = { kind: kinds.confirm, body: confirmCodec.encode(made) };
  return [
    share,
    [
      save,
      { kind: "act", key: `confirm/${answerName(ceremony, seat)}`, action },
      { kind: "log", level: "info", message: "confirmed", fields: name },
    ],
  ];
}

/** Names the public package that a share belongs to: the merged commitments of its deals. */
function packageHashOf(network: NetworkId, commitments: readonly Uint8Array[]): Bytes32 {
  return H("public-package", network, concat(...commitments));
}
