/** A command of the engine takes about a second, on a busy computer several; a test runs several commands. */
jest.setTimeout(180_000);
