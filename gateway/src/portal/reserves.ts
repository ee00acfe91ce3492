// GET /v1/reserves and /v1/keys: what backs each asset, to the unit and coin by coin (ACC-1), so that a stranger
// can add it up and look at every coin on Bitcoin; and the keys that hold it.

import { readState } from "@causeway/chain-core/client";
import type { Coin, Genesis, Key, StateReader } from "@causeway/chain-core/interchain";
import {
  accountOf,
  ceremonies,
  ceremonyStages,
  coinKinds,
  coinStatus,
  coins,
  currentKeys,
  depositVersion,
  keys,
  lastCreditOf,
  listNames,
  lists,
  nextKeys,
  openCeremonies,
  vaultScript,
} from "@causeway/chain-core/interchain";
import { equal, reversed, toHex } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import { chainName } from "./destination.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok } from "./portal.ts";
import type { WrappedAsset } from "./quote.ts";
import { bitcoinAsset, wrappedAssets } from "./quote.ts";

export async function getReserves({ genesis, ledger }: Portal): Promise<Reply> {
  const { height, time } = await ledger.status();
  const assets = await readState(ledger, (state) =>
    wrappedAssets(genesis).map((asset) => reservesOf(genesis, state, asset)),
  );
  return ok({ height, time, assets });
}

function reservesOf(genesis: Genesis, state: StateReader, asset: WrappedAsset): unknown {
  const { id, symbol, decimals, registry } = asset;
  const account = accountOf(state, id);
  const { halted, ...amounts } = account;
  const left = account.coins + account.deficit;
  const right =
    account.supply + account.exported + account.pending + account.reserve + account.rewards;
  const isBitcoin = bitcoinAsset(genesis)?.symbol === symbol;
  const list = isBitcoin ? coinsOf(state) : [];
  const counted = list.filter((coin) => coin.counted).reduce((sum, { amount }) => sum + amount, 0n);
  return {
    asset: symbol,
    id: toHex(id),
    decimals,
    origin: chainName(genesis, registry.chain),
    ...Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, `${value}`])),
    halted,
    equation: {
      left: `${left}`,
      right: `${right}`,
      holds: left === right,
      text: "coins + deficit = supply + exported + pending + reserve + rewards",
    },
    ...(isBitcoin && {
      countedCoins: `${counted}`,
      holders: holdersOf(genesis, state, list),
      coinList: list.map(coinJson),
    }),
  };
}

/** What each key of Bitcoin holds, for which term it was made and whose ring holds it now (RNG-2). */
function holdersOf(genesis: Genesis, state: StateReader, list: readonly Coin[]): unknown[] {
  const current = currentKeys.get(state, genesis.bitcoin.chain)?.keyId;
  const ids = new Set(list.map(({ keyId }) => keyId));
  if (current !== undefined) ids.add(current);
  return [...ids]
    .sort((a, b) => a - b)
    .map((keyId) => {
      const own = list.filter((coin) => coin.keyId === keyId);
      const key = keys.get(state, keyId);
      return {
        keyId,
        current: keyId === current,
        ...(key && { term: key.term, heldBy: key.heldBy, t: key.threshold, n: key.seats.length }),
        lastCredit: lastCreditOf(state, keyId) ?? null,
        coins: own.length,
        amount: `${own.reduce((sum, { amount }) => sum + amount, 0n)}`,
      };
    });
}

function coinsOf(state: StateReader): Coin[] {
  const ids = lists.get(state, listNames.coins)?.ids ?? [];
  return ids.map((id) => coins.get(state, id)).filter((coin) => coin !== undefined);
}

const kindNames: Readonly<Record<number, string>> = {
  [coinKinds.deposit]: "deposit",
  [coinKinds.vault]: "vault",
};
const statusNames: Readonly<Record<number, string>> = {
  [coinStatus.live]: "live",
  [coinStatus.missing]: "missing",
  [coinStatus.bound]: "bound",
  [coinStatus.spent]: "spent",
};

function coinJson(coin: Coin): unknown {
  return {
    outpoint: `${toHex(reversed(coin.txid))}:${coin.vout}`,
    amount: `${coin.amount}`,
    kind: kindNames[coin.kind] ?? `${coin.kind}`,
    status: statusNames[coin.status] ?? `${coin.status}`,
    keyId: coin.keyId,
    counted: coin.counted,
    block: toHex(reversed(coin.blockHash)),
    height: coin.height,
  };
}

export async function getKeys({ genesis, ledger }: Portal): Promise<Reply> {
  const { height, time } = await ledger.status();
  const found = await readState(ledger, (state) => ({
    keys: keysOf(genesis, state),
    ceremonies: ceremoniesOf(genesis, state),
  }));
  return ok({ height, time, network: toHex(genesis.networkId), ...found });
}

/** Key ids are dense: up to the highest in use. */
function keysOf(genesis: Genesis, state: StateReader): unknown[] {
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  const of = (table: typeof currentKeys): number[] =>
    chains.map((chain) => table.get(state, chain)?.keyId ?? 0);
  const [current, next] = [of(currentKeys), of(nextKeys)];
  const ids = Array.from({ length: Math.max(0, ...current, ...next) }, (_, i) => i + 1);
  return ids.flatMap((keyId) => {
    const key = keys.get(state, keyId);
    if (key === undefined) return [];
    const use = { current: current.includes(keyId), next: next.includes(keyId) };
    return [keyJson(genesis, key, { ...use, lastCredit: lastCreditOf(state, keyId) ?? null })];
  });
}

/** `next`: its contract is to get it (ETH-1). */
type Use = {
  readonly current: boolean;
  readonly next: boolean;
  readonly lastCredit: number | null;
};

function keyJson(genesis: Genesis, key: Key, { lastCredit, ...use }: Use): unknown {
  const { keyId, chain, groupPoint, threshold, seats, active, canary, activatedAt } = key;
  const { term, heldBy } = key;
  const isBitcoin = equal(chain, genesis.bitcoin.chain);
  return {
    keyId,
    chain: chainName(genesis, chain),
    groupPoint: toHex(groupPoint),
    key: toHex(xOnly(groupPoint)),
    n: seats.length,
    t: threshold,
    seats: seats.map(({ validator }) => toHex(validator)),
    active,
    ...use,
    term,
    heldBy,
    activatedAt,
    canary: toHex(canary),
    ...(isBitcoin && {
      vault: vaultScript(genesis, groupPoint).address,
      depositVersion,
      lastCredit,
    }),
  };
}

const stageNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(ceremonyStages).map(([name, stage]) => [stage, name]),
);

function ceremoniesOf(genesis: Genesis, state: StateReader): unknown[] {
  const ids = openCeremonies.get(state, "only")?.keyIds ?? [];
  return ids.flatMap((keyId) => {
    const ceremony = ceremonies.get(state, keyId);
    if (ceremony === undefined) return [];
    const { chain, attempt, threshold, seats, stage, startedAt, dealt, confirmed } = ceremony;
    return [
      {
        keyId,
        chain: chainName(genesis, chain),
        attempt,
        n: seats.length,
        t: threshold,
        stage: stageNames[stage] ?? `${stage}`,
        startedAt,
        dealt: dealt.length,
        confirmed: confirmed.length,
      },
    ];
  });
}
