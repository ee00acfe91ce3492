// burn: sends a wrapped asset out to another chain (DESIGN 5). What cannot be paid is refused here, before
// anything is burnt.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import type { Burn } from "../../codec/action.ts";
import { burnCodec, kinds } from "../../codec/action.ts";
import { formatBitcoinAddress } from "../../interchain/bitcoin/address.ts";
import type { AmountCode, Route, RouteCode } from "../../interchain/policy.ts";
import { checkAmount, isMint, routeFee, routeOf, vaultsOf } from "../../interchain/policy.ts";
import { assetOf, formatAddress, formatAsset, isLock } from "../assets.ts";
import type { Genesis } from "../genesis.ts";
import { mintable } from "../ring/liability-custody.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { isHalted, move, setDue } from "./accounting.ts";
import { isQueueFull, openWithdrawal } from "./withdraw.ts";

export type BurnCode =
  /** Not an asset of another chain. */
  | "unknown-asset"
  /** Value for the ledger itself is sent by spend and create. */
  | "not-leaving"
  /** The asset stands still (ACC-1, WIT-4, RNG-7). */
  | "halted"
  /** The zero lock, which nobody can open (FMT-4). */
  | "bad-refund"
  | "queue-full"
  | RouteCode
  | AmountCode;

export const burnRule: Rule<Burn> = {
  kind: kinds.burn,
  codec: burnCodec,
  carriers: "user",
  // A withdrawal's record, and its place in a queue and a plan, stay in the provable state.
  growth: 1_000,
  balance: (_, { asset, amount }) => [[asset, -amount]],
  validate: (context, burn) => {
    const route = leavingRoute(context, burn);
    if (isRejected(route)) return route;
    const bad = checkAmount(context.params, route, burn) ?? checkRoom(context, route, burn);
    if (bad !== undefined) return bad;
    if (!isLock(burn.refund))
      return rejected<BurnCode>("bad-refund", "the refund is no lock of this ledger");
    if (isHalted(context.state, burn.asset))
      return rejected<BurnCode>("halted", "the asset is halted");
    return isQueueFull(context, burn.destination.chain)
      ? rejected<BurnCode>("queue-full", "too many withdrawals wait")
      : undefined;
  },
  apply: (context, { asset, amount, destination, maxFee, refund }) => {
    const { state, txid, position } = context;
    move(state, asset, { supply: -amount, pending: amount });
    openWithdrawal(context, {
      source: txid,
      position,
      asset,
      amount,
      destination,
      maxFee,
      refund,
    });
    setDue(state);
  },
  describe: (genesis, burn) => {
    const { asset, amount, maxFee } = burn;
    const what = formatAsset(genesis, asset, amount);
    const most = formatAsset(genesis, asset, maxFee);
    return `Send ${what} to ${placeOf(genesis, burn)}, less a fee of at most ${most}`;
  },
};

function leavingRoute(context: ActionContext, burn: Burn): Route | Rejected<BurnCode> {
  const { genesis, state } = context;
  const registry = assetOf(genesis, burn.asset)?.registry;
  if (registry === undefined)
    return rejected<BurnCode>("unknown-asset", "the asset is of no other chain");
  const scripts = vaultsOf(genesis, state).map(({ script }) => script);
  const route = routeOf(genesis, registry, burn.destination, scripts);
  return !isRejected(route) && route.kind === "ledger"
    ? rejected<BurnCode>("not-leaving", "the destination is this ledger")
    : route;
}

/** RNG-7: what the contract may not mint now; what others burn in the same block may still make it wait in the queue. */
function checkRoom(
  { state, genesis, params }: ActionContext,
  route: Route,
  { asset, amount, destination }: Burn,
): Rejected<AmountCode> | undefined {
  if (!isMint(route)) return undefined;
  const free = mintable(state, genesis, { asset, chain: destination.chain });
  const fee = routeFee(params, route, destination);
  return free === undefined || amount - fee <= free
    ? undefined
    : rejected("above-maximum", `the contract there may take ${free} more now by the ring's bonds`);
}

/** The destination as people write it; every byte of one that is no address. */
function placeOf(genesis: Genesis, { destination }: Burn): string {
  const { chain, payload } = destination;
  const { bitcoin } = genesis;
  if (equal(chain, bitcoin.chain))
    return `${formatBitcoinAddress(bitcoin.network, payload) ?? toHex(payload)} on Bitcoin`;
  const evm = genesis.evm.find((one) => equal(one.chain, chain));
  if (evm === undefined) return `${toHex(payload)} on chain ${toHex(chain)}`;
  const address = payload.length === 20 ? formatAddress(payload) : toHex(payload);
  return `${address} on the EVM chain ${evm.chainId}`;
}
