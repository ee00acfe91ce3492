// Payments from the restitution pool (RNG-7, GOV-1): the ledger knows what a theft cost, and not whom; the committee
// names the lock, and everybody has the delay of a loosened limit to object.
import type { Codec, Rejected } from "@causeway/primitives";
import {
  b32,
  bigEndian,
  ContainerType,
  codec,
  concat,
  H,
  isRejected,
  rejected,
  u128,
  utf8,
} from "@causeway/primitives";
import { btm, formatAsset, formatLock, isLock } from "../assets.ts";
import { economyOf, moveEconomy } from "../economy.ts";
import type { Genesis } from "../genesis.ts";
import type { State, StateReader } from "../state.ts";
import { addOutput } from "../utxo/outputs.ts";

/** `amount` in BTM units. */
export type Restitution = { lock: Uint8Array; amount: bigint };
export const restitutionCodec: Codec<Restitution> = codec(
  "restitution",
  new ContainerType({ lock: b32, amount: u128 }),
  48,
);

const prefix = "restitution:";
const keyPattern = /^restitution:[a-z0-9-]{1,32}$/;

/** Key of the change that pays under this name: letters, digits and hyphens. */
export function restitutionKey(name: string): Uint8Array {
  return utf8(prefix + name);
}

export function isRestitution(key: Uint8Array): boolean {
  return new TextDecoder().decode(key).startsWith(prefix);
}

type Change = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Why it cannot be paid now. */
export function checkRestitution(
  state: StateReader,
  { key, value }: Change,
): Rejected<"bad-restitution"> | undefined {
  if (!keyPattern.test(new TextDecoder().decode(key)))
    return rejected("bad-restitution", "a name has 1 to 32 small letters, digits and hyphens");
  const paid = restitutionCodec.parse(value);
  if (isRejected(paid)) return rejected("bad-restitution", paid.message);
  if (!isLock(paid.lock)) return rejected("bad-restitution", "nobody can sign for the lock");
  const { restitution } = economyOf(state);
  if (paid.amount === 0n || paid.amount > restitution)
    return rejected("bad-restitution", `${paid.amount} of ${restitution} units in the pool`);
  return undefined;
}

/** Only after `checkRestitution` on the same state, once for each key and epoch. */
export function payRestitution(
  state: State,
  genesis: Genesis,
  { key, value }: Change,
  epoch: number,
): void {
  const { lock, amount } = restitutionCodec.decode(value);
  moveEconomy(state, { restitution: -amount });
  const txid = H("restitution", genesis.networkId, concat(key, bigEndian(epoch, 8)));
  addOutput(state, { txid, index: 0 }, { asset: btm(genesis), amount, lock }, true);
}

/** The sentence of an approval. */
export function describeRestitution(genesis: Genesis, { value }: Change, epoch: number): string {
  const paid = restitutionCodec.parse(value);
  if (isRejected(paid)) return "Pay from the restitution pool";
  const amount = formatAsset(genesis, btm(genesis), paid.amount);
  return `Pay ${amount} from the restitution pool to ${formatLock(paid.lock)} in epoch ${epoch}`;
}
