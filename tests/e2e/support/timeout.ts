/** The engine takes about a second a command, more on a busy machine; a test runs several. */
jest.setTimeout(180_000);
