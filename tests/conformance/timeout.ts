/** All tests take an hour on two processors, and several on a busy host. */
jest.setTimeout(6 * 3_600_000);
