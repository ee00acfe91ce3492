// The embedded Bitcoin node as a process: prints one JSON line when it listens, stops on SIGTERM.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";

// A young generation that does not grow saves about 15 MB; it must be said before anything else loads.
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--optimize-for-size");
const { startBitcoinRegtest } = await import("./index.ts");

const { values } = parseArgs({
  options: {
    datadir: { type: "string" },
    host: { type: "string" },
    port: { type: "string", default: "18443" },
    rpcuser: { type: "string" },
    rpcpassword: { type: "string" },
    /** Satoshi per 1,000 vB. */
    minrelaytxfee: { type: "string", default: "1000" },
  },
});

function fail(code: string, message: string): never {
  console.log(JSON.stringify({ ok: false, error: { code, message } }));
  process.exit(1);
}

const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535)
  fail("bad-option", `--port must be from 0 to 65535, not ${values.port}`);
if (!/^\d{1,9}$/.test(values.minrelaytxfee))
  fail("bad-option", `--minrelaytxfee must be satoshi per 1,000 vB, not ${values.minrelaytxfee}`);
if ((values.rpcuser === undefined) !== (values.rpcpassword === undefined))
  fail("bad-option", "--rpcuser and --rpcpassword go together");
if (values.datadir === undefined && values.rpcuser === undefined)
  fail("bad-option", "give --datadir (for the cookie) or --rpcuser and --rpcpassword");

try {
  const node = await startBitcoinRegtest({
    port,
    relayFeeRate: BigInt(values.minrelaytxfee),
    onStop: () => process.exit(0),
    ...(values.datadir === undefined ? {} : { datadir: values.datadir }),
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.rpcuser === undefined ? {} : { user: values.rpcuser }),
    ...(values.rpcpassword === undefined ? {} : { password: values.rpcpassword }),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void node.close().then(() => process.exit(0)));
  console.log(JSON.stringify({ ok: true, url: node.url, cookie: node.cookiePath }));
} catch (error) {
  const { code = "failed", message } = error as Error & { code?: string };
  fail(code, message);
}
