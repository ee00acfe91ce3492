// Output scripts: their type, address, text form and descriptor, as Bitcoin Core shows them.
import { equal, fromHex, toHex } from "@causeway/primitives";
import { isXOnly } from "@causeway/primitives/secp256k1";
import { address, script as bitcoinScript, networks } from "bitcoinjs-lib";

/** Core's names of output types; bare multisig counts as nonstandard here. */
export type ScriptType =
  | "pubkey"
  | "pubkeyhash"
  | "scripthash"
  | "witness_v0_keyhash"
  | "witness_v0_scripthash"
  | "witness_v1_taproot"
  | "anchor"
  | "witness_unknown"
  | "nulldata"
  | "nonstandard";

const network = networks.regtest;
const payToAnchor = fromHex("51024e73");

/** Version and program of a witness output (BIP141), or undefined. */
export function witnessProgram(
  script: Uint8Array,
): { readonly version: number; readonly program: Uint8Array } | undefined {
  const [first = 255, size = 0] = script;
  if (script.length < 4 || script.length > 42 || size !== script.length - 2) return undefined;
  if (first !== 0 && (first < 0x51 || first > 0x60)) return undefined;
  return { version: first === 0 ? 0 : first - 0x50, program: script.subarray(2) };
}

export function classify(script: Uint8Array): ScriptType {
  if (equal(script, payToAnchor)) return "anchor";
  const witness = witnessProgram(script);
  if (witness !== undefined) {
    const { version, program } = witness;
    if (version === 0 && program.length === 20) return "witness_v0_keyhash";
    if (version === 0 && program.length === 32) return "witness_v0_scripthash";
    if (version === 1 && program.length === 32) return "witness_v1_taproot";
    return version === 0 ? "nonstandard" : "witness_unknown";
  }
  const hex = toHex(script.subarray(0, 3));
  if (script.length === 25 && hex === "76a914" && toHex(script.subarray(23)) === "88ac")
    return "pubkeyhash";
  if (script.length === 23 && hex.startsWith("a914") && script[22] === 0x87) return "scripthash";
  if (script[0] === 0x6a && isPushOnly(script.subarray(1))) return "nulldata";
  if ((script.length === 35 || script.length === 67) && script[0] === script.length - 2)
    if (script[script.length - 1] === 0xac) return "pubkey";
  return "nonstandard";
}

function isPushOnly(script: Uint8Array): boolean {
  const chunks = bitcoinScript.decompile(script);
  return chunks?.every((chunk) => typeof chunk !== "number" || chunk <= 0x60) ?? false;
}

/** Outputs that nobody can ever spend never enter the set of coins. */
export function isUnspendable(script: Uint8Array): boolean {
  return script[0] === 0x6a || script.length > 10_000;
}

/** Core's dust limit in satoshi, at 3 sat/vB: P2WPKH 294, P2TR and P2WSH 330, P2PKH 546, P2A 240. */
export function dustLimit(script: Uint8Array): bigint {
  const size = 8 + 1 + script.length + (witnessProgram(script) === undefined ? 148 : 67);
  return BigInt(size) * 3n;
}

/** The regtest address of a script, or undefined for a type that has none. */
export function toAddress(script: Uint8Array): string | undefined {
  const witness = witnessProgram(script);
  if (witness !== undefined) {
    if (classify(script) === "nonstandard") return undefined;
    return address.toBech32(witness.program, witness.version, network.bech32);
  }
  switch (classify(script)) {
    case "pubkeyhash":
      return address.toBase58Check(script.subarray(3, 23), network.pubKeyHash);
    case "scripthash":
      return address.toBase58Check(script.subarray(2, 22), network.scriptHash);
    default:
      return undefined;
  }
}

/** The script of a regtest address; undefined for anything else, other networks included. */
export function fromAddress(text: string): Uint8Array | undefined {
  if (text.length > 90) return undefined;
  try {
    if (text.toLowerCase().startsWith(`${network.bech32}1`)) {
      const { version, data } = address.fromBech32(text);
      const script = Uint8Array.of(version === 0 ? 0 : 0x50 + version, data.length, ...data);
      const known = witnessProgram(script) !== undefined && classify(script) !== "nonstandard";
      return version <= 16 && known ? script : undefined;
    }
    const { version, hash } = address.fromBase58Check(text);
    if (version === network.pubKeyHash) return Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac);
    if (version === network.scriptHash) return Uint8Array.of(0xa9, 20, ...hash, 0x87);
    return undefined;
  } catch {
    return undefined;
  }
}

const opcodeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(bitcoinScript.OPS)
    .filter((pair): pair is [string, number] => typeof pair[1] === "number")
    .map(([name, code]) => [code, name]),
);

/** Core's ScriptToAsmStr: data as hex, pushes of at most four bytes as numbers. */
export function toAsm(script: Uint8Array): string {
  const words: string[] = [];
  for (let at = 0; at < script.length; ) {
    const code = script[at++] as number;
    if (code > 0 && code <= 0x4e) {
      const width = code < 0x4c ? 0 : 2 ** (code - 0x4c);
      let size = width === 0 ? code : 0;
      for (let i = 0; i < width; i++) size += (script[at + i] ?? 0) * 256 ** i;
      at += width + size;
      if (at > script.length) return [...words, "[error]"].join(" ");
      const data = script.subarray(at - size, at);
      words.push(data.length <= 4 ? scriptNumber(data).toString() : toHex(data));
    } else if (code === 0) words.push("0");
    else if (code === 0x4f) words.push("-1");
    else if (code >= 0x51 && code <= 0x60) words.push(`${code - 0x50}`);
    else words.push(opcodeNames.get(code) ?? "OP_UNKNOWN");
  }
  return words.join(" ");
}

/** A script number: little-endian, sign in the highest bit; at most five bytes. */
export function scriptNumber(bytes: Uint8Array): number {
  let value = 0;
  for (const [index, byte] of bytes.entries())
    value += (index === bytes.length - 1 ? byte & 0x7f : byte) * 256 ** index;
  return (bytes[bytes.length - 1] ?? 0) & 0x80 ? -value : value;
}

/** The descriptor that Core infers for a script whose keys it does not know, with its checksum. */
export function toDescriptor(script: Uint8Array): string {
  const type = classify(script);
  const text = toAddress(script);
  if (type === "witness_v1_taproot" && isXOnly(script.subarray(2)))
    return withChecksum(`rawtr(${toHex(script.subarray(2))})`);
  if (type === "pubkey") return withChecksum(`pk(${toHex(script.subarray(1, -1))})`);
  return withChecksum(text === undefined ? `raw(${toHex(script)})` : `addr(${text})`);
}

const descriptorCharset =
  "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
const checksumCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const generator = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn];

/** `body#checksum` (BIP380). */
export function withChecksum(body: string): string {
  let sum = 1n;
  let group = 0;
  const feed = (value: number): void => {
    const top = sum >> 35n;
    sum = ((sum & 0x7ffffffffn) << 5n) ^ BigInt(value);
    for (const [bit, term] of generator.entries()) if ((top >> BigInt(bit)) & 1n) sum ^= term;
  };
  for (const [index, character] of [...body].entries()) {
    const at = descriptorCharset.indexOf(character);
    feed(at & 31);
    group = group * 3 + (at >> 5);
    if (index % 3 === 2 || index === body.length - 1) {
      feed(group);
      group = 0;
    }
  }
  for (let i = 0; i < 8; i++) feed(0);
  sum ^= 1n;
  let text = "";
  for (let i = 7n; i >= 0n; i--) text += checksumCharset[Number((sum >> (5n * i)) & 31n)];
  return `${body}#${text}`;
}
