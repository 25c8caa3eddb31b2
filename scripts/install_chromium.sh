#!/bin/sh
# Makes Chromium available to the browser tests and screenshots where this machine allows it. Never fails: where it cannot
# be had, the tests that need it skip and say so.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests ..."
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; } \
    >/dev/null 2>&1 && exit 0
fi
echo "Chromium cannot be installed here: the browser tests will skip."
exit 0
