// Proposals out of the words of a person, over the ledger's newest state.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  equal,
  isRejected,
  parseHex,
  rejected,
  utf8,
  zero32,
} from "@causeway/primitives";
import { kinds } from "../codec/action.ts";
import { epochOf } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { decimal, hex, integer, list, object, text } from "../ledger/genesis-reader.ts";
import { governSequence } from "../ledger/governance/approval.ts";
import { aheadMin } from "../ledger/governance/changes.ts";
import type { GuardOrder } from "../ledger/governance/guard.ts";
import { guardActs, guardianUses, guardSubject } from "../ledger/governance/guard.ts";
import { priceKey } from "../ledger/governance/price.ts";
import type { AddedAsset } from "../ledger/governance/registry.ts";
import { addedAssetCodec, assetKey } from "../ledger/governance/registry.ts";
import type { Restitution } from "../ledger/governance/restitution.ts";
import { restitutionCodec, restitutionKey } from "../ledger/governance/restitution.ts";
import { directions, pauseOf, restrictionsOf } from "../ledger/governance/restrictions.ts";
import { changeSubject } from "../ledger/governance/set-parameter.ts";
import { upgradeSubject } from "../ledger/governance/upgrade.ts";
import type { Price } from "../ledger/prices.ts";
import { priceCodec } from "../ledger/prices.ts";
import type { StateReader } from "../ledger/state.ts";
import type { Proposal } from "./proposal.ts";

/** What a person may choose besides; by default the soonest that leaves an epoch to collect approvals. */
export type Terms = {
  /** Epoch in which it takes effect. */
  readonly epoch?: number;
  /** Epoch whose committee approves: the running one or the next. */
  readonly committeeEpoch?: number;
  /** Where another proposal comes before. */
  readonly sequence?: number;
};

function governed(
  state: StateReader,
  kind: number,
  terms: Terms,
  subjectAt: (epoch: number) => Uint8Array,
): Proposal {
  const { number } = epochOf(state);
  return {
    kind,
    subject: subjectAt(terms.epoch ?? number + aheadMin + 1),
    sequence: terms.sequence ?? governSequence(state),
    epoch: terms.committeeEpoch ?? number,
  };
}

const changing = (state: StateReader, terms: Terms, key: Uint8Array, value: Uint8Array): Proposal =>
  governed(state, kinds.setParameter, terms, (epoch) => changeSubject({ key, value, epoch }));

/** `value` in the parameter's own unit, as the genesis has it. */
export function draftSet(state: StateReader, terms: Terms, name: string, value: bigint): Proposal {
  return changing(state, terms, utf8(name), bigEndian(value, 16));
}

/** `key` as status shows it: a parameter's name, or "asset:", "price:" or "restitution:" and a name. */
export function draftTakeBack(state: StateReader, terms: Terms, key: string): Proposal {
  return changing(state, terms, utf8(key), new Uint8Array(0));
}

export function draftAsset(
  state: StateReader,
  terms: Terms,
  symbol: string,
  asset: AddedAsset,
): Proposal {
  return changing(state, terms, assetKey(symbol), addedAssetCodec.encode(asset));
}

export function draftPrice(
  state: StateReader,
  terms: Terms,
  symbol: string,
  price: Price,
): Proposal {
  return changing(state, terms, priceKey(symbol), priceCodec.encode(price));
}

/** `payment.amount` in BTM units, under a name that no other payment that waits has. */
export function draftRestitution(
  state: StateReader,
  terms: Terms,
  name: string,
  payment: Restitution,
): Proposal {
  return changing(state, terms, restitutionKey(name), restitutionCodec.encode(payment));
}

export function draftUpgrade(state: StateReader, terms: Terms, version: number): Proposal {
  return governed(state, kinds.upgrade, terms, (epoch) => upgradeSubject({ version, epoch }));
}

/** Of what goes "in" from a chain to the ledger or "out" to it; `act` pause or lift. */
export function draftPause(
  state: StateReader,
  terms: Terms,
  act: "pause" | "lift",
  way: { readonly chain: Uint8Array; readonly direction: "in" | "out" },
): Proposal {
  const { chain } = way;
  const direction = directions[way.direction];
  const sequence = pauseOf(restrictionsOf(state), { chain, direction })?.sequence ?? 0;
  return ordered(state, terms, { act: guardActs[act], chain, direction, sequence });
}

/** `guardian` is an index of the genesis' list. */
export function draftSlow(state: StateReader, terms: Terms, guardian: number): Proposal {
  const sequence = guardianUses.get(state, guardian)?.sequence ?? 0;
  const order = { act: guardActs.slow, chain: zero32, direction: 0, sequence };
  return { ...ordered(state, terms, order), guardian };
}

function ordered(state: StateReader, { committeeEpoch }: Terms, order: GuardOrder): Proposal {
  const epoch = committeeEpoch ?? epochOf(state).number;
  return { kind: kinds.guard, subject: guardSubject(order), sequence: order.sequence, epoch };
}

/** "bitcoin", an EVM chain id ("1", "evm:1"), or FMT-8's 32 bytes of hex, of this network. */
export function chainNamed(genesis: Genesis, name: string): Bytes32 | Rejected<"unknown-chain"> {
  if (name.toLowerCase() === "bitcoin") return genesis.bitcoin.chain;
  const id = parseHex(name, { size: 32 });
  const evm = genesis.evm.find(
    ({ chain, chainId }) =>
      name.replace(/^evm:/, "") === `${chainId}` || (!isRejected(id) && equal(id, chain)),
  );
  if (evm !== undefined) return evm.chain;
  const all = ["bitcoin", ...genesis.evm.map(({ chainId }) => `evm:${chainId}`)];
  return rejected("unknown-chain", `no chain ${name} in this network: ${all.join(", ")}`);
}

const place = object({ chain: text(/^.{1,70}$/, "a chain"), token: hex(20) });
const assetReader = object({
  symbol: text(/^[A-Z][A-Z0-9]{1,11}$/, "2 to 12 capitals and digits"),
  decimals: integer(0, 36),
  chain: text(/^.{1,70}$/, "a chain"),
  token: hex(20),
  exports: list(place, { min: 0, max: 16 }),
  price: object({ btm: decimal(0n), units: decimal(1n) }),
});

/** An asset as a person writes it: like one of the genesis file, with chains by name. */
export function readAsset(
  genesis: Genesis,
  json: unknown,
):
  | { readonly symbol: string; readonly asset: AddedAsset }
  | Rejected<"bad-file" | "unknown-chain"> {
  const mistakes: string[] = [];
  const { symbol, decimals, token, price, ...rest } = assetReader(json, { path: "", mistakes });
  if (mistakes.length > 0) return rejected("bad-file", mistakes.join("; "));
  const chain = chainNamed(genesis, rest.chain);
  if (isRejected(chain)) return chain;
  const exports: { chain: Uint8Array; token: Uint8Array }[] = [];
  for (const one of rest.exports) {
    const to = chainNamed(genesis, one.chain);
    if (isRejected(to)) return to;
    exports.push({ chain: to, token: one.token });
  }
  return { symbol, asset: { decimals, chain, token, exports, price } };
}
