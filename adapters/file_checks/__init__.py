"""What looks into uploaded files: the parsers, and the confined process that they run in.

`adapters.file_check` starts `python -m adapters.file_checks KIND`, writes the file to its input
and reads a verdict and the rewritten file from its output. Nothing clear touches a disk, and a
parser that is led astray reaches neither our memory nor our files. In here a refusal is an
`UploadRefused`; any other exception of a parser means that the file is damaged.
"""
