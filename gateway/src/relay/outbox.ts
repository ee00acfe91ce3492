// What the relay orders of the world, and the envelopes that carry its actions to the ledger (CON-7).
import type { Action, bitcoinWatch, ethereumWatch, Genesis } from "@causeway/chain-core/interchain";
import { roles, signEnvelope, transactionCodec } from "@causeway/chain-core/interchain";
import type { LedgerView } from "./view.ts";

export type Effect =
  | { readonly kind: "bitcoin"; readonly order: bitcoinWatch.Effect }
  | { readonly kind: "ethereum"; readonly chain: number; readonly order: ethereumWatch.Effect }
  /** hintCodec bytes to the own signer, over the bus. */
  | { readonly kind: "hint"; readonly bytes: Uint8Array }
  /** A transaction for the own node; a refusal comes back as `refused`. */
  | {
      readonly kind: "submit";
      readonly sequence: number;
      readonly what: string;
      readonly transaction: Uint8Array;
    }
  /** Ask the own node for the next sequence. */
  | { readonly kind: "sequence" }
  /** A signed Bitcoin transaction for the own Bitcoin node. */
  | {
      readonly kind: "broadcast";
      readonly plan: Uint8Array;
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
  | { readonly kind: "wake"; readonly atMs: number };

/** The own envelopes' sequence. Not ready until the ledger told where it stands. */
export class Outbox {
  #next: number | undefined;

  isReady(): boolean {
    return this.#next !== undefined;
  }

  restart(next: number): void {
    this.#next = next;
  }

  /** One action in an envelope, signed by the relay key. */
  envelope(
    context: { genesis: Genesis; seat: number; relaySecret: Uint8Array },
    view: LedgerView,
    action: Action,
    what: string,
  ): Effect {
    const { genesis, seat, relaySecret } = context;
    const sequence = this.#next ?? 1;
    this.#next = sequence + 1;
    const validator = genesis.validators[seat]?.owner ?? new Uint8Array(32);
    const envelope = { validator, role: roles.relay, sequence };
    const expires = view.time + Math.min(genesis.params.expiryMaxMs, 60_000);
    const tx = signEnvelope(genesis, envelope, expires, [action], relaySecret);
    return { kind: "submit", sequence, what, transaction: transactionCodec.encode(tx) };
  }

  /** A refused envelope leaves its number unused: ask again where the ledger stands, lest gaps add up. */
  refused(_sequence: number, _code: string): Effect[] {
    this.#next = undefined;
    return [{ kind: "sequence" }];
  }
}
