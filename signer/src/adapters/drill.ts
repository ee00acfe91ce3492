// The restore drill: does what a backup holds give back this seat's shares? Each is opened, and its public point compared
// with the one that the final ledger proves for the seat. What is shown are points and seats: nothing that signs.
import type { NodeClient } from "@causeway/chain-core/client";
import { keysMax } from "@causeway/chain-core/client";
import type { Genesis, Key } from "@causeway/chain-core/interchain";
import { activeKeys, keys } from "@causeway/chain-core/interchain";
import type { Bls } from "@causeway/primitives";
import { equal, toHex } from "@causeway/primitives";
import { parseKeys } from "@causeway/primitives/adapters/key-file";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { hostKeysOf } from "../world.ts";
import type { OpenedBackup } from "./backup.ts";
import { nameOf } from "./backup.ts";
import { provenView } from "./proven.ts";
import { openShare } from "./share-vault.ts";
import { keyFields } from "./vault.ts";

/** `share`: the public point of it, hex. */
export type DrilledShare = {
  readonly keyId: number;
  readonly epoch: number;
  readonly seat: number;
  readonly share: string;
  readonly verdict: "ours" | "not-this-seat" | "older-epoch" | "not-on-the-ledger";
};

export type Drill = {
  readonly height: number;
  readonly shares: readonly DrilledShare[];
  /** Active keys of which the ledger gives this host a seat and the backup has no share: opened again from the deals. */
  readonly missing: readonly string[];
  readonly ok: boolean;
};

/** In memory alone: nothing of the backup touches a disk. Throws Failure of the backup's files or the node's proofs. */
export async function drill(
  { body }: OpenedBackup,
  genesis: Genesis,
  bls: Bls,
  client: Pick<NodeClient, "ask" | "prove">,
): Promise<Drill> {
  const { networkId: network } = genesis;
  const { host, olderHosts, passphrase } = parseKeys(body.keys, keyFields, "the backup's key file");
  const stored = body.shares.map(({ name, file }) =>
    openShare({ passphrase, network }, file, nameOf(name)),
  );
  const hosts = hostKeysOf([host, ...olderHosts]).map(({ point }) => point);
  const known = await provenView(client, genesis, bls, [activeKeys.key("only")]);
  const active = activeKeys.get(known.view, "only")?.keyIds ?? [];
  const keyIds = [...new Set([...stored.map(({ keyId }) => keyId), ...active])].slice(0, keysMax);
  const records = keyIds.map((keyId) => keys.key(keyId));
  const { view, height } = await provenView(client, genesis, bls, records);
  const shares = stored.map(({ keyId, attempt, seat, share }): DrilledShare => {
    const point = publicPoint(share);
    const verdict = verdictOf(keys.get(view, keyId), { attempt, seat, point }, hosts);
    return { keyId, epoch: attempt, seat, share: toHex(point), verdict };
  });
  const missing = keyIds.flatMap((keyId) => missingOf(keys.get(view, keyId), shares, hosts));
  const isWrong = shares.some(({ verdict }) => verdict === "not-this-seat");
  return { height, shares, missing, ok: !isWrong };
}

function verdictOf(
  key: Key | undefined,
  of: { readonly attempt: number; readonly seat: number; readonly point: Uint8Array },
  hosts: readonly Uint8Array[],
): DrilledShare["verdict"] {
  if (key === undefined || key.attempt < of.attempt) return "not-on-the-ledger";
  if (key.attempt > of.attempt) return "older-epoch";
  const [seat, share] = [key.seats[of.seat], key.shares[of.seat]];
  const isOurs =
    seat !== undefined &&
    share !== undefined &&
    equal(share, of.point) &&
    hosts.some((host) => equal(host, seat.hostKey));
  return isOurs ? "ours" : "not-this-seat";
}

function missingOf(
  key: Key | undefined,
  shares: readonly DrilledShare[],
  hosts: readonly Uint8Array[],
): string[] {
  if (key?.active !== true) return [];
  return key.seats.flatMap(({ hostKey }, seat) => {
    const isOwn = hosts.some((host) => equal(host, hostKey));
    const isThere = shares.some(
      (one) => one.keyId === key.keyId && one.epoch === key.attempt && one.seat === seat,
    );
    return isOwn && !isThere ? [`key ${key.keyId}, epoch ${key.attempt}, seat ${seat}`] : [];
  });
}
