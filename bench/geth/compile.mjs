// Compiles escrow.sol to htlc.hex and trade.hex (the code as it runs, without constructor) and the functions' selectors to
// the screen. Needed only after a change of the source:
//   npm install --no-save solc@0.8.37 && node compile.mjs
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const input = {
  language: "Solidity",
  sources: { "escrow.sol": { content: readFileSync("escrow.sol", "utf8") } },
  settings: {
    optimizer: { enabled: true, runs: 1000000 },
    viaIR: true,
    evmVersion: "cancun",
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const message of output.errors ?? []) console.error(message.formattedMessage);
for (const [name, contract] of Object.entries(output.contracts["escrow.sol"])) {
  writeFileSync(`${name.toLowerCase()}.hex`, contract.evm.deployedBytecode.object + "\n");
  console.log(name, contract.evm.methodIdentifiers);
}
