"""What came to PowerShell with which version, as `tools.powershell` looks it up.

Microsoft's reference pages ("This parameter was introduced in PowerShell ...") and its pages
"What's New in PowerShell" of 5.0 to 7.5. Names are in small letters; what is not here is taken to
be old.
"""

from __future__ import annotations

# What stands in a script, where the grammar has a node or a token for it.
TOKENS = {"&&": 7.0, "||": 7.0, "??": 7.0, "??=": 7.0, "?.": 7.1, "?[": 7.1, "6>&1": 5.0}
NODES = {"ternary_expression": 7.0, "class_statement": 5.0, "enum_statement": 5.0}
VARIABLES = {
    "$iswindows": 6.0,
    "$islinux": 6.0,
    "$ismacos": 6.0,
    "$iscoreclr": 6.0,
    "$informationpreference": 5.0,
    "$psstyle": 7.2,
    "$psnativecommandargumentpassing": 7.3,
    "$psnativecommanduseerroractionpreference": 7.3,
}
# Types that .NET Framework, on which Windows PowerShell runs, does not have.
TYPES = {
    "semver": 6.0,
    "system.management.automation.semanticversion": 6.0,
    "system.text.json": 7.0,
    "text.json": 7.0,
}
# Values of a parameter, whichever command it is of.
VALUES = {"utf8nobom": 6.0, "utf8bom": 6.0, "ansi": 7.4}
# Parameters that every command has.
COMMON = {"-informationaction": 5.0, "-informationvariable": 5.0}

_COMMANDS = {
    5.0: """using expand-archive compress-archive get-itempropertyvalue new-temporaryfile
        write-information convertfrom-string format-hex get-clipboard set-clipboard clear-recyclebin
        new-guid install-module find-module save-module update-module uninstall-module
        get-installedmodule register-psrepository set-psrepository get-psrepository install-script
        install-package find-package get-package save-package uninstall-package
        install-packageprovider get-packageprovider get-packagesource register-packagesource
        convertfrom-sddlstring enter-pshostprocess exit-pshostprocess get-pshostprocessinfo
        wait-debugger debug-runspace get-runspace import-powershelldatafile get-psreadlineoption
        set-psreadlineoption""",
    5.1: """get-computerinfo get-timezone set-timezone get-localuser new-localuser set-localuser
        remove-localuser enable-localuser disable-localuser rename-localuser get-localgroup
        new-localgroup set-localgroup remove-localgroup rename-localgroup add-localgroupmember
        get-localgroupmember remove-localgroupmember new-filecatalog test-filecatalog""",
    6.0: """remove-service remove-alias get-uptime enable-experimentalfeature
        get-experimentalfeature""",
    6.1: "convertfrom-markdown show-markdown test-json start-threadjob",
    6.2: "join-string",
    7.0: "get-error",
    7.3: "switch-process",
    7.4: "get-securerandom",
    7.5: "convertto-clixml convertfrom-clixml",
}
# Parameters, with their dash, and values of one command.
_OF_COMMANDS = {
    "get-childitem": {5.0: "-depth", 6.0: "-followsymlink"},
    "new-item": {5.0: "symboliclink junction hardlink -target"},
    "copy-item": {5.0: "-tosession -fromsession"},
    "set-content": {5.0: "-nonewline", 6.0: "-asbytestream"},
    "add-content": {5.0: "-nonewline", 6.0: "-asbytestream"},
    "out-file": {5.0: "-nonewline"},
    "get-content": {6.0: "-asbytestream"},
    "start-transcript": {5.0: "-includeinvocationheader", 6.0: "-useminimalheader"},
    "select-object": {5.0: "-skiplast"},
    "foreach-object": {7.0: "-parallel -throttlelimit -asjob -timeoutseconds"},
    "where-object": {6.1: "-not"},
    "measure-object": {6.0: "-standarddeviation -allstats"},
    "convertfrom-json": {6.0: "-ashashtable", 6.2: "-depth", 7.0: "-noenumerate"},
    "convertto-json": {6.2: "-enumsasstrings -escapehandling", 7.0: "-asarray"},
    "convertto-csv": {6.0: "-includetypeinformation", 7.0: "-usequotes -quotefields"},
    "export-csv": {6.0: "-includetypeinformation", 7.0: "-usequotes -quotefields"},
    "convertfrom-stringdata": {7.0: "-delimiter"},
    "split-path": {6.0: "-leafbase -extension"},
    "join-path": {6.0: "-additionalchildpath"},
    "resolve-path": {7.4: "-relativebasepath"},
    "sort-object": {6.0: "-top -bottom", 6.1: "-stable"},
    "select-string": {7.0: "-raw -noemphasis -culture"},
    "get-date": {7.0: "-unixtimeseconds", 7.1: "-asutc"},
    "get-random": {7.1: "-shuffle"},
    "start-sleep": {7.3: "-duration"},
    "start-job": {7.0: "-workingdirectory"},
    "start-process": {7.4: "-environment"},
    "test-connection": {6.0: "-targetname -tcpport -traceroute -resolvedestination -ipv4 -ipv6"},
    "compress-archive": {6.0: "-passthru"},
    "expand-archive": {6.0: "-passthru"},
    "new-pssession": {6.0: "-hostname"},
    "enter-pssession": {6.0: "-hostname"},
    "invoke-command": {6.0: "-hostname"},
}
_WEB = {
    6.0: """-skipcertificatecheck -authentication -token -allowunencryptedauthentication -noproxy
        -sslprotocol -skipheadervalidation -custommethod -preserveauthorizationonredirect""",
    6.1: "-form -resume -maximumretrycount -retryintervalsec",
    7.0: "-skiphttperrorcheck",
    7.3: "-httpversion",
    7.4: "-connectiontimeoutseconds -operationtimeoutseconds -allowinsecureredirect -unixsocket",
}
_REST = {6.0: "-followrellink -maximumfollowrellink -responseheadersvariable"}


def _listed(words: dict[float, str]) -> dict[str, float]:
    return {name: version for version, names in words.items() for name in names.split()}


COMMANDS = _listed(_COMMANDS)
OF_COMMANDS = {
    **{name: _listed(words) for name, words in _OF_COMMANDS.items()},
    "invoke-webrequest": _listed(_WEB),
    "invoke-restmethod": {**_listed(_WEB), **_listed(_REST), "-statuscodevariable": 7.0},
}
