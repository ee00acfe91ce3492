// A person with bitcoins and a key of their own: no wallet in Bitcoin Core, only generatetoaddress, getblock
// and sendrawtransaction. P2WPKH (BIP143).
import { randomBytes } from "node:crypto";
import { Failure, fromHex, reversed, toHex } from "@causeway/primitives";
import type { RpcClient } from "@causeway/primitives/adapters/json-rpc";
import { publicPoint } from "@causeway/primitives/secp256k1";
import * as bitcoin from "bitcoinjs-lib";
import secp from "secp256k1/bindings.js";

const regtest = bitcoin.networks.regtest;
/** Test chains relay at 1 sat/vB; this pays well above it. */
const feeSats = 2_000n;

type Utxo = {
  readonly txid: string;
  readonly vout: number;
  readonly amount: bigint;
  height: number;
};

type BlockJson = {
  readonly height: number;
  readonly tx: readonly {
    readonly txid: string;
    readonly vin: readonly { readonly txid?: string; readonly vout?: number }[];
    readonly vout: readonly {
      readonly n: number;
      readonly value: number;
      readonly scriptPubKey: { readonly hex: string };
    }[];
  }[];
};

export type BitcoinUser = {
  readonly address: string;
  readonly script: Uint8Array;
  /** x-only public key, for the reclaim leaf (BTC-1). */
  readonly xOnlyKey: Uint8Array;
  /** Mines blocks to this user; their hashes. */
  readonly mine: (count: number) => Promise<string[]>;
  /** Pays `amount` sats to `script`; the transaction id as people write it. */
  readonly pay: (script: Uint8Array, amount: bigint) => Promise<string>;
  /** Sats in confirmed, mature outputs. */
  readonly balance: () => Promise<bigint>;
};

/** `rpc` calls the Bitcoin node; `secret` is 32 bytes, fresh ones by default. */
export function bitcoinUser(rpc: RpcClient, secret: Uint8Array = randomBytes(32)): BitcoinUser {
  const pubkey = publicPoint(secret);
  const payment = bitcoin.payments.p2wpkh({ pubkey, network: regtest });
  const script = payment.output as Uint8Array;
  const address = payment.address as string;
  const spent = new Set<string>();
  const name = (txid: string, vout: number): string => `${txid}:${vout}`;

  async function utxos(): Promise<Utxo[]> {
    const found = new Map<string, Utxo>();
    const tip = (await rpc("getblockcount", [])) as number;
    const mine = toHex(script);
    for (let height = 1; height <= tip; height++) {
      const block = await blockAt(height);
      for (const [index, tx] of block.tx.entries()) {
        for (const input of tx.vin) found.delete(name(input.txid ?? "", input.vout ?? 0));
        for (const output of tx.vout) {
          if (output.scriptPubKey.hex !== mine) continue;
          const mature = index > 0 || tip - height >= 100;
          if (!mature) continue;
          const amount = BigInt(Math.round(output.value * 1e8));
          found.set(name(tx.txid, output.n), { txid: tx.txid, vout: output.n, amount, height });
        }
      }
    }
    return [...found.values()].filter(({ txid, vout }) => !spent.has(name(txid, vout)));
  }

  const blocks = new Map<string, BlockJson>();
  async function blockAt(height: number): Promise<BlockJson> {
    const hash = (await rpc("getblockhash", [height])) as string;
    let block = blocks.get(hash);
    if (block === undefined) {
      block = (await rpc("getblock", [hash, 2])) as BlockJson;
      blocks.set(hash, block);
    }
    return block;
  }

  async function pay(to: Uint8Array, amount: bigint): Promise<string> {
    const coin = (await utxos()).find((one) => one.amount >= amount + feeSats);
    if (coin === undefined) throw new Failure("no-funds", `no coin of ${amount + feeSats} sats`);
    const tx = new bitcoin.Transaction();
    tx.version = 2;
    tx.addInput(reversed(fromHex(coin.txid)), coin.vout);
    tx.addOutput(to, amount);
    tx.addOutput(script, coin.amount - amount - feeSats);
    const hashType = bitcoin.Transaction.SIGHASH_ALL;
    const code = bitcoin.payments.p2pkh({ pubkey, network: regtest }).output as Uint8Array;
    const digest = tx.hashForWitnessV0(0, code, coin.amount, hashType);
    const { signature } = secp.ecdsaSign(digest, secret);
    tx.setWitness(0, [bitcoin.script.signature.encode(signature, hashType), pubkey]);
    await rpc("sendrawtransaction", [tx.toHex()]);
    spent.add(name(coin.txid, coin.vout));
    return tx.getId();
  }

  return {
    address,
    script,
    xOnlyKey: pubkey.slice(1),
    mine: async (count) => (await rpc("generatetoaddress", [count, address])) as string[],
    pay,
    balance: async () => (await utxos()).reduce((sum, { amount }) => sum + amount, 0n),
  };
}
