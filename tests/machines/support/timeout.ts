/** A machine is up in 2 s, on a busy host in many more; a test starts several, one after the other. */
jest.setTimeout(180_000);
