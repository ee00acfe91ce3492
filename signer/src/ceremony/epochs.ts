// Which epochs of a key's shares are alive (RNG-2, RNG-5): the one in use and the one that a ceremony makes. What is
// older is erased, but only when the proven ledger has activated the newer one: before that the old shares are the key.
import type { Key, StateReader } from "@causeway/chain-core/interchain";
import { purposes } from "@causeway/chain-core/interchain";
import { equal } from "@causeway/primitives";
import { activeKeyIds, ceremonyUnderWay, openKeyIds, readKey } from "../follow/rings.ts";
import type { ShareName } from "../share-file.ts";
import { nameOf } from "../share-file.ts";
import type { HostKey } from "../world.ts";
import type { Context, Effect, State } from "./state.ts";

/** True when nobody can need this share any more. */
export function isOver(view: StateReader, { keyId, attempt }: ShareName): boolean {
  const key = readKey(view, keyId);
  const ceremony = openKeyIds(view).includes(keyId) ? ceremonyUnderWay(view, keyId) : undefined;
  // A key whose record was not proven says nothing; one that is generated has none yet.
  if (key === undefined && ceremony?.purpose !== purposes.generate) return false;
  if (key?.active === false) return true;
  const alive = [key?.attempt, ceremony?.attempt].filter((one) => one !== undefined);
  return !alive.includes(attempt) && attempt < Math.max(...alive);
}

/** Forgets them: overwritten here, and what can be done on disk (share-vault.ts). */
export function eraseShares(state: State, view: StateReader): readonly [State, Effect[]] {
  const over = [...state.shares.values()].filter((share) => isOver(view, share));
  if (over.length === 0) return [state, []];
  const shares = new Map(state.shares);
  const effects = over.flatMap(({ keyId, attempt, seat, secret }): Effect[] => {
    const name = { keyId, attempt, seat };
    secret.fill(0);
    shares.delete(nameOf(name));
    return [
      { kind: "erase-share", ...name },
      { kind: "log", level: "info", message: "share erased", fields: name },
    ];
  });
  return [{ ...state, shares }, effects];
}

/**
 * Older host keys that nothing in use was dealt to (RNG-5), where the newest is the registered one. None while a key or
 * ceremony is not proven.
 */
export function hostsOver({ hosts }: Context, view: StateReader): HostKey[] {
  const ids = activeKeyIds(view);
  if (ids === undefined || hosts.length < 2) return [];
  const held = ids.map((keyId) => readKey(view, keyId));
  const made = openKeyIds(view).map((keyId) => ceremonyUnderWay(view, keyId));
  const rings = [...held, ...made];
  if (rings.some((ring) => ring === undefined)) return [];
  const isDealtTo = (point: Uint8Array): boolean =>
    rings.some((ring) => ring?.seats.some(({ hostKey }) => equal(hostKey, point)));
  return hosts.slice(1).filter(({ point }) => !isDealtTo(point));
}

/** The share that a seat of `key` deals in a resharing, if it is here and the one that the ledger has. */
export function dealtShare(state: State, key: Key, seat: number): Uint8Array | undefined {
  const share = state.shares.get(nameOf({ ...key, seat }));
  const y = key.shares[seat];
  return share !== undefined && y !== undefined && equal(share.point, y) ? share.secret : undefined;
}
