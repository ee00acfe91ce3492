// What a transfer costs and whether it is possible, before anything is paid (ACC-2): the ledger's own functions
// over its newest records.

import { readState } from "@causeway/chain-core/client";
import type {
  Asset,
  Genesis,
  QuoteBasis,
  RegistryAsset,
  StateReader,
} from "@causeway/chain-core/interchain";
import {
  accountOf,
  assetId,
  assetOf,
  checkWithdrawal,
  mintable,
  quoteWithdrawal,
  roomOf,
  vaultsOf,
} from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, rejected } from "@causeway/primitives";
import { parseDestination } from "./destination.ts";
import { parseObject, parseUnits } from "./input.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok, refusal } from "./portal.ts";

export type WrappedAsset = Asset & { readonly registry: RegistryAsset };

/** The asset whose coins are bitcoins, if the registry has one. */
export function bitcoinAsset(genesis: Genesis): WrappedAsset | undefined {
  return wrappedAssets(genesis).find(
    ({ registry }) => equal(registry.chain, genesis.bitcoin.chain) && isZero(registry.token),
  );
}

export function wrappedAssets(genesis: Genesis): WrappedAsset[] {
  return genesis.assets.flatMap(({ symbol }) => {
    const id = assetId(genesis, symbol);
    const asset = id && assetOf(genesis, id);
    return asset?.registry === undefined ? [] : [{ ...asset, registry: asset.registry }];
  });
}

/** What quotes of this asset rest on. */
export function quoteBasis(genesis: Genesis, state: StateReader, asset: WrappedAsset): QuoteBasis {
  return {
    genesis,
    params: genesis.params,
    asset: asset.registry,
    account: accountOf(state, asset.id),
    ringScripts: vaultsOf(genesis, state).map(({ script }) => script),
    room: roomOf(state),
    mints: asset.registry.exports.flatMap(({ chain }) => {
      const free = mintable(state, genesis, { asset: asset.id, chain });
      return free === undefined ? [] : [{ chain, free }];
    }),
  };
}

function parseAsset(genesis: Genesis, symbol: unknown): WrappedAsset | Rejected<"unknown-asset"> {
  const all = wrappedAssets(genesis);
  const found = all.find((one) => one.symbol === symbol);
  const names = all.map((one) => one.symbol).join(", ");
  return found ?? rejected("unknown-asset", `asset must be one of ${names}`);
}

/** POST /v1/withdrawals/quote */
export async function postWithdrawalQuote(portal: Portal, body: unknown): Promise<Reply> {
  const { genesis, ledger } = portal;
  const fields = parseObject(body, "the body");
  if (isRejected(fields)) return refusal(fields);
  const asset = parseAsset(genesis, fields.asset);
  if (isRejected(asset)) return refusal(asset);
  const amount = parseUnits(fields.amount, "amount");
  if (isRejected(amount)) return refusal(amount);
  const destination = parseDestination(genesis, fields.destination);
  if (isRejected(destination)) return refusal(destination);
  const stated = fields.maxFee === undefined ? undefined : parseUnits(fields.maxFee, "maxFee");
  if (isRejected(stated)) return refusal(stated);
  const basis = await readState(ledger, (state) => quoteBasis(genesis, state, asset));
  const quote = quoteWithdrawal(basis, destination);
  if (isRejected(quote)) return refusal(quote);
  const maxFee = stated ?? quote.fee;
  const refused = checkWithdrawal(basis, { amount, maxFee, destination });
  const limits = { fee: `${quote.fee}`, min: `${quote.min}`, max: `${quote.max}` };
  if (refused !== undefined)
    return ok({ accepted: false, code: refused.code, reason: refused.message, ...limits });
  return ok({ accepted: true, receives: `${amount - quote.fee}`, ...limits });
}
