// What must hold when every story is over: the least that users may expect, nodes that agree record by record, and
// coins on the simulated chains that are what the ledger's accounts say.
import { equal, keyOf, must } from "@causeway/primitives";
import { coins, listNames, lists } from "../../../chain-core/src/interchain/records.ts";
import { accountOf, wrappedAssets } from "../../../chain-core/src/ledger/interchain/accounting.ts";
import { emptyTree, root, update } from "../../../chain-core/src/ledger/tree.ts";
import { outputs } from "../../../chain-core/src/ledger/utxo/outputs.ts";
import { display } from "../../../deploy/devnet/bitcoin-regtest/tx.ts";
import { violated } from "../../seeds/violation.ts";
import { supplyOf } from "../ethereum.ts";
import { tokenAddress } from "../genesis.ts";
import { readerOf } from "../ledger.ts";
import type { World } from "../model.ts";
import { heightOf, sameState } from "../node-process.ts";
import { newest } from "../users.ts";

export function checkEnd(world: World): void {
  const { checks } = world;
  if (checks.credits === 0) violated("liveness", "no deposit was credited");
  if (checks.settlements === 0) violated("liveness", "no withdrawal was settled");
  checkDisks(world);
  checkReserves(world);
}

/** The newest state is what its parts say; nodes at one height hold the same records, restarted or not. */
function checkDisks(world: World): void {
  const { disk } = newest(world).node;
  if (!equal(root(update(emptyTree, disk.records.values())), must(disk.root, "root")))
    violated("the root is that of the records", `height ${disk.blocks.length}`);
  for (const { node, seat } of world.operators)
    if (node.disk !== disk && heightOf(node) === disk.blocks.length && !sameState(node.disk, disk))
      violated("one state a height", `node ${seat} differs`);
  const prefix = outputs.key({ txid: new Uint8Array(32), index: 0 }).subarray(0, 2);
  const sums = new Map<string, bigint>();
  for (const { key, value } of disk.records.values()) {
    if (key[0] !== prefix[0] || key[1] !== prefix[1]) continue;
    const { asset, amount } = outputs.codec.decode(value);
    sums.set(keyOf(asset), (sums.get(keyOf(asset)) ?? 0n) + amount);
  }
  for (const [asset, sum] of checks(world))
    if ((sums.get(asset) ?? 0n) !== sum)
      violated("supply", `outputs of ${asset} add up to otherwise`);
}

function checks(world: World): Map<string, bigint> {
  return world.checks.sums;
}

/** Every coin that the ledger counts is unspent on Bitcoin; the token on Ethereum is what was exported. */
function checkReserves(world: World): void {
  const reader = readerOf(newest(world).node.disk);
  const [asset] = wrappedAssets(world.genesis);
  if (asset === undefined) return;
  const account = accountOf(reader, asset.id);
  let counted = 0n;
  for (const id of lists.get(reader, listNames.coins)?.ids ?? []) {
    const coin = must(coins.get(reader, id), "listed coin");
    if (coin.counted) counted += coin.amount;
    const found = world.bitcoin.node.chain.coins.get(`${display(coin.txid)}:${coin.vout}`);
    const isOnTheWay = coin.lineage.length > 0;
    if (found === undefined && !isOnTheWay) violated("coins are there", display(coin.txid));
    if (found !== undefined && found.value !== coin.amount)
      violated("coins are what they were", display(coin.txid));
  }
  if (counted !== account.coins)
    violated("coins add up", `${counted} listed, ${account.coins} in the accounts`);
  const minted = supplyOf(world.ethereum, tokenAddress);
  if (minted !== account.exported)
    violated("exported is on Ethereum", `${minted} minted, ${account.exported} in the accounts`);
}
