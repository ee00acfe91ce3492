// GET /v1/status and /v1/health: where the operator's ledger and watchers are, and what works.
import { readState } from "@causeway/chain-core/client";
import {
  bitcoinTips,
  bitcoinWatch,
  directions,
  restrictionsOf,
} from "@causeway/chain-core/interchain";
import { reversed, toHex } from "@causeway/primitives";
import { chainName } from "./destination.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok } from "./portal.ts";

export async function getStatus({ genesis, ledger, relay }: Portal): Promise<Reply> {
  const { height, time, validator, peers, syncing } = await ledger.status();
  const { tip, slowUntil, pauses } = await readState(ledger, (state) => ({
    tip: bitcoinTips.get(state, genesis.bitcoin.chain),
    ...restrictionsOf(state),
  }));
  const own = bitcoinWatch.tipOf(relay.bitcoin);
  return ok({
    network: toHex(genesis.networkId),
    name: genesis.name,
    ledger: { height, time, validator: validator ?? null, peers, syncing },
    // GOV-2, ledger time in ms: what is planned or credited later than usual.
    slowUntil: slowUntil > time ? slowUntil : null,
    paused: pauses
      .filter(({ until }) => until > time)
      .map(({ chain, direction, until }) => ({
        chain: chainName(genesis, chain),
        direction: direction === directions.in ? "in" : "out",
        until,
      })),
    bitcoin: {
      network: genesis.bitcoin.network,
      height: own.height,
      hash: toHex(reversed(own.hash)),
      ledgerHeight: tip?.height ?? genesis.bitcoin.checkpoint.height,
      watchedAddresses: relay.bitcoin.scripts.size,
    },
    evm: relay.ethereum.map(({ chain, finalized, scanned }) => ({
      chain: chainName(genesis, chain.chain),
      chainId: `${chain.chainId}`,
      gateway: `0x${toHex(chain.gateway)}`,
      finalized: finalized?.height ?? null,
      scanned,
    })),
  });
}

/** Always 200: the body says what works. */
export async function getHealth({ health }: Portal): Promise<Reply> {
  const parts = await health();
  return ok({ ok: Object.values(parts).every((part) => part.ok), parts });
}
