/** A machine boots in 2 seconds, on a busy host in many more; a test boots several, one after the other. */
jest.setTimeout(180_000);
