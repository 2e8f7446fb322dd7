/**
 * CloudStack's error codes: the HTTP status is the `errorcode` of the body, `cserrorcode` identifies the
 * exception.
 */

export class ApiError extends Error {
    readonly status: number;
    /** Absent from the body where undefined, as for 401. */
    readonly csErrorCode?: number;

    constructor(status: number, text: string, csErrorCode?: number) {
        super(text);
        this.status = status;
        this.csErrorCode = csErrorCode;
    }
}

/** The text that tenants get instead of an internal reason. */
export const INTERNAL_TEXT = "Internal error executing command, please contact your system administrator";

/** The request itself is wrong: a parameter is missing or refers to nothing. */
export const malformed = (text: string) => new ApiError(431, text, 9999);

/** The value of a parameter is refused (InvalidParameterValueException). */
export const invalid = (text: string) => new ApiError(431, text, 4350);

/** An internal error without its reason. */
export const internal = (csErrorCode = 4250) => new ApiError(530, INTERNAL_TEXT, csErrorCode);

/** An internal error with its reason, as jobs report it. */
export const failed = (text: string) => new ApiError(530, text, 4250);

export const denied = (text: string) => new ApiError(531, text, 4365);

/** @param csErrorCode 9999 if the command itself creates the error, as DeployVMCmd does */
export const overLimit = (text: string, csErrorCode = 4370) => new ApiError(535, text, csErrorCode);

export const inUse = (text: string) => new ApiError(536, text, 9999);

export const unauthorized = () => new ApiError(401, "unable to verify user credentials and/or request signature");

export const notAvailable = (command: string, userId: string, why = "") =>
    new ApiError(
        432,
        `The API [${command}] does not exist or is not available for the account for user id [${userId}].${why}`,
        9999,
    );

/** The body of an error under the name of its command's answer (`errorresponse` if there is no such command). */
export function errorBody(responseName: string, error: ApiError): object {
    const code = error.csErrorCode === undefined ? {} : { cserrorcode: error.csErrorCode };
    return { [responseName]: { uuidList: [], errorcode: error.status, ...code, errortext: error.message } };
}
