"""`kiln completion`: what a shell reads to complete our words."""

from __future__ import annotations

import click

from kiln_cli import completing, options

_WHERE = {
    "bash": '# In ~/.bashrc:  eval "$(kiln completion bash)"',
    "zsh": '# In ~/.zshrc:  eval "$(kiln completion zsh)"',
    "fish": "# Once:  kiln completion fish > ~/.config/fish/completions/kiln.fish",
}


@click.command(epilog="Example: kiln completion bash")
@click.argument("shell", type=click.Choice(completing.SHELLS))
@options.as_json
def command(shell: str, as_json: bool) -> int:
    """Print what SHELL needs to complete commands, options, platforms, blueprints and layers.

    bash (4.4 or newer) and zsh: eval "$(kiln completion bash)" in the shell's own file. fish:
    kiln completion fish > ~/.config/fish/completions/kiln.fish.
    """
    from click.shell_completion import get_completion_class

    from kiln_cli.main import cli
    from kiln_cli.printing import emit

    found = get_completion_class(shell)
    if found is None:
        raise options.usage(f"{shell}: click knows no completion for it")
    # click's own source() runs a bash to look at its version, of whichever is first in PATH.
    made = found(cli, {}, "kiln", "_KILN_COMPLETE")
    script = made.source_template % made.source_vars()
    if as_json:
        emit({"shell": shell, "script": script})
    else:
        click.echo(f"{_WHERE[shell]}\n{script}")
    return 0
