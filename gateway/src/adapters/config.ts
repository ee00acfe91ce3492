// The gateway's configuration (SEAMS): its keys, what each is, and the typed result, or every mistake at once.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRejected, parseHex, rejected } from "@causeway/primitives";
import type { BadConfig, Config } from "@causeway/primitives/adapters/config";
import { loadConfig } from "@causeway/primitives/adapters/config";
import type { RpcAuth } from "@causeway/primitives/adapters/json-rpc";
import { isSecretKey } from "@causeway/primitives/secp256k1";

const spec = {
  genesis: { key: "CAUSEWAY_GENESIS", is: "path" },
  proofs: { key: "CAUSEWAY_GENESIS_PROOFS", is: "path" },
  /** Folder of the bus and of the requests. */
  data: { key: "CAUSEWAY_DATA", is: "path" },
  keys: { key: "CAUSEWAY_KEYS", is: "path" },
  nodeRpc: { key: "CAUSEWAY_NODE_RPC", is: "url" },
  listenHost: { key: "CAUSEWAY_LISTEN_HOST", is: "host", default: "127.0.0.1" },
  portalPort: { key: "CAUSEWAY_PORTAL_PORT", is: "port" },
  bitcoinRpc: { key: "CAUSEWAY_BITCOIN_RPC", is: "url", secret: true },
  bitcoinCookie: { key: "CAUSEWAY_BITCOIN_COOKIE", is: "path", optional: true },
  bitcoinUser: { key: "CAUSEWAY_BITCOIN_USER", is: "text", optional: true },
  bitcoinPassword: { key: "CAUSEWAY_BITCOIN_PASSWORD", is: "text", optional: true, secret: true },
  ethereumRpc: { key: "CAUSEWAY_ETHEREUM_RPC", is: "url", secret: true },
  /** Unix socket of the operator's bus. */
  bus: { key: "CAUSEWAY_BUS", is: "path" },
  /** The gateway contract's artifact; by default the one of this release. */
  artifact: { key: "CAUSEWAY_GATEWAY_ARTIFACT", is: "path", optional: true },
  /** The file in which the own signer says how it is; by default that of the operator's folder. */
  signerHealth: { key: "CAUSEWAY_SIGNER_HEALTH", is: "path", optional: true },
  logLevel: { key: "CAUSEWAY_LOG_LEVEL", is: "level", default: "info" },
} as const;

export type GatewayConfig = Config<typeof spec> & {
  readonly artifact: string;
  readonly signerHealth: string;
  readonly bitcoinAuth: RpcAuth | undefined;
  readonly secrets: RelaySecrets;
};

/** secp256k1 secrets of 32 bytes: envelopes of what the relay brings (STK-1), and Ethereum's gas. */
export type RelaySecrets = { readonly relay: Uint8Array; readonly evm: Uint8Array };

/** What `--config <file>` and the environment give, with the key file's content. */
export function loadGatewayConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): GatewayConfig | BadConfig {
  const config = loadConfig(spec, argv, env);
  if (isRejected(config)) return config as BadConfig;
  const artifact =
    config.artifact ?? join(import.meta.dirname, "../../../contracts/artifacts/Gateway.json");
  const signerHealth =
    config.signerHealth ?? join(dirname(config.bus), "signer", "data", "health.json");
  const mistakes: string[] = [];
  const files = { ...spec, artifact: { key: "CAUSEWAY_GATEWAY_ARTIFACT" } };
  for (const name of ["genesis", "proofs", "keys", "artifact"] as const) {
    const path = { ...config, artifact }[name];
    if (!existsSync(path)) mistakes.push(`${files[name].key}: no file ${path}`);
  }
  const bitcoinAuth = authOf(config, mistakes);
  const secrets = existsSync(config.keys) ? readSecrets(config.keys, mistakes) : undefined;
  if (mistakes.length > 0 || secrets === undefined) return badConfig(mistakes);
  return Object.freeze({ ...config, artifact, signerHealth, bitcoinAuth, secrets });
}

function badConfig(mistakes: readonly string[]): BadConfig {
  const message = `${mistakes.length} mistakes in the configuration: ${mistakes.join("; ")}`;
  return { ...rejected("bad-config", message), mistakes };
}

function authOf(config: Config<typeof spec>, mistakes: string[]): RpcAuth | undefined {
  const { bitcoinCookie: cookieFile, bitcoinUser: user, bitcoinPassword: password } = config;
  if (cookieFile !== undefined && user !== undefined)
    mistakes.push("CAUSEWAY_BITCOIN_COOKIE: give it or CAUSEWAY_BITCOIN_USER, not both");
  if ((user === undefined) !== (password === undefined))
    mistakes.push("CAUSEWAY_BITCOIN_USER: needs CAUSEWAY_BITCOIN_PASSWORD, and the reverse");
  if (cookieFile !== undefined) return { cookieFile };
  return user === undefined || password === undefined ? undefined : { user, password };
}

/** Never quotes what it read. */
function readSecrets(path: string, mistakes: string[]): RelaySecrets | undefined {
  const key = spec.keys.key;
  if ((statSync(path).mode & 0o077) !== 0)
    mistakes.push(`${key}: others may read ${path}: its mode must be 0600`);
  let fields: Record<string, unknown>;
  try {
    fields = Object(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    mistakes.push(`${key}: ${path} is no JSON`);
    return undefined;
  }
  const secretOf = (name: string): Uint8Array | undefined => {
    const bytes = parseHex(fields[name], { size: 32 });
    if (!isRejected(bytes) && isSecretKey(bytes)) return bytes;
    mistakes.push(`${key}: ${name} must be a secret key of 32 bytes in hex`);
    return undefined;
  };
  const [relay, evm] = [secretOf("relay"), secretOf("evm")];
  return relay === undefined || evm === undefined ? undefined : { relay, evm };
}
