// What may happen on the foreign chains, read from the simulated chains alone: each withdrawal is paid at most once
// and right, and what the ring's keys sign was planned by a final block.
import { equal, fromHex, keyOf, reversed, toHex } from "@causeway/primitives";
import { violated } from "../../seeds/violation.ts";
import type { Entry, Tx } from "../bitcoin.ts";
import { executionsOf } from "../ethereum.ts";
import type { World } from "../model.ts";

/** After every change of the best Bitcoin chain. */
export function bitcoinChanged(world: World): void {
  const { active } = world.bitcoin.node.chain;
  const base = world.genesis.bitcoin.checkpoint.height;
  const paid = new Map<string, bigint[]>();
  for (const entry of active.slice(base + 1))
    for (const tx of entry.block.txs) {
      checkSpend(world, tx);
      for (const { script, value } of tx.body.outs) {
        const name = keyOf(script);
        if (world.checks.payees.has(name)) paid.set(name, [...(paid.get(name) ?? []), value]);
      }
    }
  for (const [name, amounts] of paid) checkPaid(world, name, amounts);
}

function checkPaid(world: World, name: string, amounts: readonly bigint[]): void {
  const payee = world.checks.payees.get(name);
  if (payee === undefined) return;
  const { amount, maxFee } = payee;
  if (amounts.length > 1)
    violated("a withdrawal is paid at most once", `${name} gets ${amounts.join(" and ")}`);
  const [got] = amounts;
  if (got !== undefined && (got > amount || got < amount - maxFee))
    violated(
      "a withdrawal is paid right",
      `${name} gets ${got} of ${amount}, maximum fee ${maxFee}`,
    );
}

/** A transaction that spends an output of the ring by key path is an attempt of a final plan (RNG-7). */
function checkSpend(world: World, tx: Tx): void {
  const { checks, bitcoin } = world;
  if (checks.planned.has(toHex(reversed(fromHex(tx.txid))))) return;
  for (const input of tx.body.ins) {
    const source = toHex(reversed(input.hash));
    const script = scriptOf(
      bitcoin.node.chain.entries,
      bitcoin.node.chain.txIndex,
      source,
      input.index,
    );
    if (script !== undefined && checks.ringScripts.has(keyOf(script)))
      violated("no signature without a finalised plan", `Bitcoin transaction ${tx.txid}`);
  }
}

function scriptOf(
  entries: ReadonlyMap<string, Entry>,
  txIndex: ReadonlyMap<string, string>,
  txid: string,
  vout: number,
): Uint8Array | undefined {
  const entry = entries.get(txIndex.get(txid) ?? "");
  return entry?.block.txs.find((tx) => tx.txid === txid)?.body.outs[vout]?.script;
}

/** After every Ethereum block. */
export function ethereumChanged(world: World): void {
  const { checks, genesis } = world;
  const paid = new Map<string, bigint[]>();
  for (const { batch, digest } of executionsOf(world.ethereum)) {
    if (!checks.planned.has(keyOf(digest)))
      violated("no signature without a finalised plan", `batch ${batch.nonce}`);
    for (const { to, token, amount } of batch.items) {
      const isToken = genesis.assets.some(({ exports }) =>
        exports.some((one) => equal(one.token, token)),
      );
      if (!isToken) violated("a batch pays known tokens", `batch ${batch.nonce}`);
      const name = keyOf(to);
      if (checks.payees.has(name)) paid.set(name, [...(paid.get(name) ?? []), amount]);
    }
  }
  for (const [name, amounts] of paid) checkPaid(world, name, amounts);
}
