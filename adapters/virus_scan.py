"""What can keep a virus scanner from judging a file, whichever scanner it is."""


class ScanFailed(Exception):
    """The scanner is away, or could not judge the file; nothing is known of the file then."""


class TooLargeToScan(ScanFailed):
    """The file is longer than the scanner takes: trying again will not help."""
