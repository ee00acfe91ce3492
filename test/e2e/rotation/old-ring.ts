// Old members of a ring who kept every share on purpose, and sign together with them whatever they like.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Key } from "@causeway/chain-core/interchain";
import { isRejected, must } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import {
  aggregateNonces,
  finish,
  generateNonce,
  openSession,
  sign,
  validateSigners,
} from "@causeway/signer/frost";
import type { Network } from "../../../deploy/devnet/network.ts";
import { shareVault } from "../../../signer/src/adapters/share-vault.ts";
import { accepted } from "../strangers.ts";

type Share = {
  readonly keyId: number;
  readonly attempt: number;
  readonly seat: number;
  readonly share: Uint8Array;
};
export type Tweak = Parameters<typeof openSession>[2][number];

/** Every share that the operators have on disk now, opened with their passphrases. */
export function keptShares({ operators, genesis }: Network): Share[] {
  return operators.flatMap(({ settings }) =>
    shareVault({
      folder: join(settings.folder, "signer", "data", "shares"),
      passphrase: settings.keys.signer.passphrase,
      network: genesis.networkId,
      logN: 14,
      entropy: systemEntropy,
    }).load(),
  );
}

/** A signature under `key` by the shares of its epoch: as valid as the ring's own was. */
export function signWithKept(
  key: Key,
  shares: readonly Share[],
  message: Uint8Array,
  tweaks: readonly Tweak[] = [],
): Uint8Array {
  const own = shares.filter(({ keyId, attempt }) => keyId === key.keyId && attempt === key.attempt);
  const secrets = new Map(own.map(({ seat, share }) => [seat, share]));
  const seats = [...secrets.keys()].sort((a, b) => a - b).slice(0, key.threshold);
  const group = {
    n: key.seats.length,
    t: key.threshold,
    thresholdPoint: key.groupPoint,
    shares: new Map(key.shares.map((share, seat) => [seat, share])),
  };
  const secretOf = (seat: number): Uint8Array => must(secrets.get(seat), "share");
  const pairs = seats.map((seat) => ({
    ...accepted(generateNonce(randomBytes(32), { secretShare: secretOf(seat), message })),
    seat,
  }));
  const signers = accepted(validateSigners(group, seats));
  const nonces = accepted(aggregateNonces(pairs));
  const session = accepted(openSession(signers, message, tweaks, nonces));
  const done = finish(
    session,
    pairs.map(({ seat, nonce, secret }) => ({
      seat,
      nonce,
      partial: accepted(sign(session, secret, secretOf(seat), seat)),
    })),
  );
  if (isRejected(done)) throw new Error(done.message);
  return done;
}
