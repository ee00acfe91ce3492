// The own foreign nodes (WIT-3): new blocks as they come, and the facts of single events. Reads only.
import type { BitcoinNode, EthereumNode, HealthState } from "@causeway/chain-core/foreign";
import {
  bitcoinNode,
  ethereumNode,
  followBitcoin,
  followEthereum,
} from "@causeway/chain-core/foreign";
import type { Artifact, Facts, Genesis } from "@causeway/chain-core/interchain";
import { bitcoinFacts, evmFacts } from "@causeway/chain-core/interchain";
import type { Log, Transport } from "@causeway/primitives";
import { equal, Failure, must } from "@causeway/primitives";
import { sleep } from "@causeway/primitives/adapters/clock";
import type { Effect, Event } from "../machine.ts";

type ReadOrder = Effect & { kind: "read" };

export type ForeignLinkOptions = {
  readonly genesis: Genesis;
  readonly bitcoin: Transport;
  /** Reaches the first EVM chain of the genesis. */
  readonly ethereum: Transport;
  readonly artifact: Artifact;
  readonly emit: (event: Event) => void;
  readonly health: { readonly bitcoin: HealthState; readonly ethereum: HealthState };
  readonly log: Log;
  readonly signal: AbortSignal;
};

export type ForeignLink = {
  /** Answers the order by exactly one event. */
  readonly perform: (order: ReadOrder) => void;
  /** Tells new blocks until the signal aborts. */
  readonly follow: () => Promise<void>;
};

/** Core has no notice of blocks over RPC: half of what a credit waits is this. */
const bitcoinEveryMs = 300;
const ethereumEveryMs = 500;
/** Reads under way at once. */
const readsMax = 16;

export function foreignLink(options: ForeignLinkOptions): ForeignLink {
  const { genesis, emit, log, signal, health } = options;
  const bitcoin = bitcoinNode(options.bitcoin, genesis.bitcoin.chain);
  const [evm] = genesis.evm;
  const ethereum = evm && ethereumNode(options.ethereum, evm.chainId);
  const waiting: ReadOrder[] = [];
  let reading = 0;

  const pump = (): void => {
    while (reading < readsMax) {
      const order = waiting.shift();
      if (order === undefined) return;
      reading += 1;
      read(options, bitcoin, ethereum, order)
        .then(emit)
        .finally(() => {
          reading -= 1;
          pump();
        })
        .catch((error: unknown) => {
          // Only a bug gets here: the vault must not wait for an answer that never comes.
          log.error("a read failed", { error });
          emit({ kind: "failed", id: order.id, code: "internal" });
        });
    }
  };
  return {
    perform: (order) => {
      waiting.push(order);
      pump();
    },
    follow: async () => {
      const loops = [
        followBitcoin(
          bitcoin,
          bitcoinEveryMs,
          { sleep, signal, health: health.bitcoin, log },
          (_, isNew) => {
            if (isNew) emit({ kind: "foreign-block", chain: genesis.bitcoin.chain });
          },
        ),
      ];
      if (ethereum !== undefined && evm !== undefined)
        loops.push(
          followEthereum(
            ethereum,
            ethereumEveryMs,
            { sleep, signal, health: health.ethereum, log },
            (_, isNew) => {
              if (isNew) emit({ kind: "foreign-block", chain: evm.chain });
            },
          ),
        );
      else health.ethereum.up("no EVM chain in the genesis");
      await Promise.all(loops);
    },
  };
}

async function read(
  options: ForeignLinkOptions,
  bitcoin: BitcoinNode,
  ethereum: EthereumNode | undefined,
  order: ReadOrder,
): Promise<Event> {
  try {
    return { kind: "facts", id: order.id, facts: await factsOf(options, bitcoin, ethereum, order) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: "failed", id: order.id, code: error.code };
  }
}

function factsOf(
  { genesis, artifact }: ForeignLinkOptions,
  bitcoin: BitcoinNode,
  ethereum: EthereumNode | undefined,
  { chain, event }: ReadOrder,
): Promise<Facts> {
  if (equal(chain, genesis.bitcoin.chain)) return bitcoinFacts(bitcoin, event);
  const [evm] = genesis.evm;
  if (ethereum === undefined || evm === undefined || !equal(chain, evm.chain))
    throw new Failure("no-endpoint", "no node of this chain is configured");
  const place = { chain: evm.chain, address: must(evm.gateway, "gateway"), artifact };
  return evmFacts(ethereum, place, event);
}
