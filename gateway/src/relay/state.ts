// What a relay is, knows and orders: the vocabulary that the parts of its machine share.
import type { Duty } from "@causeway/chain-core/client";
import type { DepositRequest, Genesis } from "@causeway/chain-core/interchain";
import { bitcoinWatch, ethereumWatch } from "@causeway/chain-core/interchain";
import { equal } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { Answer } from "./candidate.ts";
import type { Rota, Turns } from "./rota.ts";
import type { LedgerView } from "./view.ts";

export type Context = {
  readonly genesis: Genesis;
  /** secp256k1 secret of the registered relay key (STK-1), 32 bytes: by it the relay finds its validator. */
  readonly relaySecret: Uint8Array;
  /** keccak-256 that the gateway's runtime code must have, in the order of genesis.evm (ETH-3). */
  readonly codeHashes: readonly Uint8Array[];
};

/** A private resource that a step changes in place; it is deterministic and belongs to one owner. */
export type State = {
  readonly bitcoin: bitcoinWatch.State;
  /** In the order of genesis.evm. */
  readonly ethereum: readonly ethereumWatch.State[];
  view: LedgerView | undefined;
  /** Owner of the own validator; undefined: the register has none with this relay key yet, so that nothing is brought. */
  owner: Uint8Array | undefined;
  /** Who takes turns: the owners of the epoch's committee, in its order. Before the first view it is the genesis'. */
  rota: Rota;
  /** Requests whose key is not on the ledger yet, by their terms. */
  readonly waiting: Map<string, DepositRequest>;
  /** Highest sequence that this process gave to an envelope; 0 before the first. */
  sequence: number;
  readonly turns: Turns;
  /** What the own node proves against validators that are not convicted yet: evidenceCodec bytes. */
  evidence: readonly Uint8Array[];
  /** What the own validator owes the beacon (BCN). */
  duties: readonly Duty[];
  /** The ledger's last word on each candidate, by candidateName. */
  readonly answers: Map<string, Answer>;
  /** Hints given, by candidateName: when last, and how often. */
  readonly hinted: Map<string, { readonly at: number; readonly count: number }>;
  /** Broadcasts made, by plan id (hex): the Bitcoin tip (hex) of the time, and when one more is due. */
  readonly broadcast: Map<string, { readonly tip: string; readonly againAt: number }>;
};

export function initial({ genesis, relaySecret }: Context): State {
  const relayKey = publicPoint(relaySecret);
  const owners = genesis.validators.map(({ owner }) => owner);
  return {
    bitcoin: bitcoinWatch.initial(genesis),
    ethereum: genesis.evm.map((chain) => ethereumWatch.initial(genesis, chain, 0)),
    view: undefined,
    owner: genesis.validators.find((one) => equal(one.relayKey, relayKey))?.owner,
    rota: { epoch: -1, owners },
    waiting: new Map(),
    sequence: 0,
    turns: new Map(),
    evidence: [],
    duties: [],
    answers: new Map(),
    hinted: new Map(),
    broadcast: new Map(),
  };
}

export type Event =
  /** The own ledger at a new height, read by readView with the answers to {@link questions}. */
  | { readonly kind: "view"; readonly view: LedgerView }
  /** A deposit request from the portal or from gossip; the same one again is harmless. */
  | { readonly kind: "request"; readonly request: DepositRequest }
  /** All that the own node can prove now, in place of what it gave before. */
  | { readonly kind: "evidence"; readonly evidence: readonly Uint8Array[] }
  /** And all that it owes the beacon. */
  | { readonly kind: "duties"; readonly duties: readonly Duty[] }
  | { readonly kind: "bitcoin"; readonly event: bitcoinWatch.Event }
  /** `chain` is an index in genesis.evm. */
  | { readonly kind: "ethereum"; readonly chain: number; readonly event: ethereumWatch.Event }
  /** The own node did not take the submitted transaction, or could not be asked. */
  | { readonly kind: "refused"; readonly what: string; readonly code: string }
  /** The own Bitcoin node could not be asked to broadcast the transaction of this plan. */
  | { readonly kind: "unsent"; readonly plan: Uint8Array }
  | { readonly kind: "woke" };

export type Effect =
  /** A read of the own Bitcoin node; its answer comes back as an event, `read-failed` when it fails. */
  | { readonly kind: "bitcoin"; readonly order: bitcoinWatch.Effect }
  | { readonly kind: "ethereum"; readonly chain: number; readonly order: ethereumWatch.Effect }
  /** hintCodec bytes to the own signer, over the bus. */
  | { readonly kind: "hint"; readonly bytes: Uint8Array }
  /** A transaction for the own node; a refusal comes back as `refused` with the same `what`. */
  | { readonly kind: "submit"; readonly what: string; readonly transaction: Uint8Array }
  /** A signed Bitcoin transaction for the own Bitcoin node, with maxfeerate 0. */
  | {
      readonly kind: "broadcast";
      readonly plan: Uint8Array;
      /** Internal order. */
      readonly txid: Uint8Array;
      readonly transaction: Uint8Array;
    }
  /** Calldata for the gateway contract of genesis.evm[chain], in a transaction of the own gas key. */
  | {
      readonly kind: "execute";
      readonly chain: number;
      readonly nonce: number;
      readonly data: Uint8Array;
    }
  /** Give `woke` at this time of the own clock (ms); a later order replaces an earlier one. */
  | { readonly kind: "wake"; readonly atMs: number };

/** Orders of one part of the machine, and when it wants to be asked again. */
export type Orders = { readonly effects: readonly Effect[]; readonly nextAt: number | undefined };

export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
