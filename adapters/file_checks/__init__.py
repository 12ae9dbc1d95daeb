"""What looks into uploaded files: the parsers, and the confined process that they run in.

`adapters.file_check` starts `python -m adapters.file_checks KIND`, writes the file to its input
and reads a verdict and the rewritten file from its output. Nothing clear touches a disk, and a
parser that is led astray reaches neither our memory nor our files nor the network: before its first
byte the process has given up all but its pipes (`confinement`), as far as the kernel has the means.
What is needed must therefore be loaded with the parser. In here a refusal is an `UploadRefused`;
any other exception of a parser means that the file is damaged.
"""
